import { Link } from '@tanstack/react-router';
import { lazy } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { planName } from '../../format/plans';
import { formatPeriod } from '../../format/time';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Card } from '../../ui/Surface';
import { useZone } from '../../ui/zone';
import { InvoiceLines } from '../invoices/InvoiceLines';

const UpcomingLineWhy = lazy(async () => ({
  default: (await import('../invoices/UpcomingLineWhy')).UpcomingLineWhy,
}));

const CustomerEstimateDocument = graphql(`
  query CustomerEstimate($id: ID!) {
    customer(id: $id) {
      id
      subscriptions(last: 10, includeEnded: false) {
        nodes {
          id
          currentPeriodStart
          currentPeriodEnd
          trialEndsAt
          quantity
          product {
            id
            name
          }
          upcomingInvoice {
            currency
            total
            lines {
              ...InvoiceLines_line
            }
          }
        }
      }
    }
  }
`);

/** What the next invoices come to, as if the periods ended now. */
export function CustomerEstimate({ id }: { id: string }) {
  const zone = useZone();
  const [{ data, error }, again] = useQuery({ query: CustomerEstimateDocument, variables: { id } });
  const subscriptions = data?.customer?.subscriptions.nodes ?? [];
  return (
    <>
      {error && (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      )}
      {subscriptions.map(
        ({ id: subscription, product, quantity, upcomingInvoice, ...period }) =>
          upcomingInvoice && (
            <Card
              key={subscription}
              title={`Next invoice, estimated: ${planName(product.name, quantity)}`}
              tools={
                <Link to="/subscriptions/$id" params={{ id: subscription }}>
                  {formatPeriod(period.currentPeriodStart, period.currentPeriodEnd, zone)}
                </Link>
              }
              flush
            >
              <InvoiceLines
                lines={upcomingInvoice.lines}
                currency={upcomingInvoice.currency}
                total={upcomingInvoice.total}
                why={(ordinal, onClose) => (
                  <UpcomingLineWhy id={subscription} ordinal={ordinal} onClose={onClose} />
                )}
                trialEndsAt={period.trialEndsAt}
              />
            </Card>
          ),
      )}
    </>
  );
}
