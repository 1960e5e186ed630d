import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { SubscriptionPageQuery } from '../../api/generated/graphql';
import { formatExactInstant, formatPeriod, formatRelative } from '../../format/time';
import { Button } from '../../ui/Button';
import { Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Money, Time } from '../../ui/Figures';
import { Card, Figure, Figures, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { Table } from '../../ui/Table';
import { useNow } from '../../ui/useNow';
import { useZone } from '../../ui/zone';
import { IfAllowed } from '../access/permissions';
import { History } from '../audit/History';
import { CustomerLink, customerName } from '../customers/CustomerName';
import { invoiceColumns } from '../invoices/InvoiceCells';
import { InvoiceLines } from '../invoices/InvoiceLines';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import { SubscriptionStatus } from './SubscriptionCells';

const SubscriptionPageDocument = graphql(`
  query SubscriptionPage($id: ID!) {
    subscription(id: $id) {
      id
      startedAt
      currentPeriodStart
      currentPeriodEnd
      endedAt
      cancelAtPeriodEnd
      invoicingProblem
      ...SubscriptionCells_subscription
      customer {
        id
        ...CustomerName_customer
      }
      product {
        id
        name
      }
      upcomingInvoice {
        currency
        total
        completeThrough
        lines {
          ...InvoiceLines_line
        }
      }
      invoices(last: 20) {
        nodes {
          id
          ...InvoiceCells_invoice
        }
      }
    }
  }
`);

const CancelDialog = lazy(async () => ({ default: (await import('./CancelDialog')).CancelDialog }));

type Subscription = NonNullable<SubscriptionPageQuery['subscription']>;

const INVOICES = invoiceColumns({ withCustomer: false });

export function SubscriptionPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: SubscriptionPageDocument, variables: { id } });
  const refresh = () => again({ requestPolicy: 'network-only' });
  return (
    <Loaded what="subscription" value={data?.subscription} error={error} onRetry={refresh}>
      {(subscription) => <Page subscription={subscription} refresh={refresh} />}
    </Loaded>
  );
}

function Page({ subscription, refresh }: { subscription: Subscription; refresh(): void }) {
  const zone = useZone();
  const now = useNow();
  const { customer, product, upcomingInvoice, invoicingProblem, currentPeriodEnd } = subscription;
  useUsageLive({ customerId: customer.id }, refresh);
  return (
    <>
      <PageHead
        above={<Link to="/subscriptions">Subscriptions</Link>}
        title={product.name}
        badge={<SubscriptionStatus subscription={subscription} />}
        about={
          <>
            <CustomerLink customer={customer} /> subscribes to{' '}
            <Link to="/products/$id" params={{ id: product.id }}>
              <bdi>{product.name}</bdi>
            </Link>
            .
          </>
        }
        tools={
          !subscription.endedAt && <CancelButton subscription={subscription} refresh={refresh} />
        }
      />
      {invoicingProblem && (
        <ErrorPanel
          problem={{
            kind: 'refused',
            title: 'This subscription cannot be invoiced',
            advice: invoicingProblem,
          }}
        />
      )}
      <Card>
        <Figures>
          <Figure
            label={subscription.endedAt ? 'Last period' : 'Current period'}
            note={!subscription.endedAt && `Ends ${formatRelative(currentPeriodEnd, now)}`}
          >
            {formatPeriod(subscription.currentPeriodStart, currentPeriodEnd, zone)}
          </Figure>
          {upcomingInvoice && (
            <Figure
              label="Next invoice, if the period ended now"
              note={`Complete through ${formatExactInstant(upcomingInvoice.completeThrough, zone)}`}
            >
              <Money amount={upcomingInvoice.total} currency={upcomingInvoice.currency} />
            </Figure>
          )}
        </Figures>
      </Card>
      {upcomingInvoice && (
        <Card title="Next invoice" flush>
          <InvoiceLines
            lines={upcomingInvoice.lines}
            currency={upcomingInvoice.currency}
            total={upcomingInvoice.total}
          />
        </Card>
      )}
      <Card title="Invoices" flush>
        <Table
          label="Invoices of the subscription"
          columns={INVOICES}
          rows={[...subscription.invoices.nodes].reverse()}
          keyOf={(invoice) => invoice.id}
          empty={<Empty title="No invoices yet">The first is made when the period ends.</Empty>}
        />
      </Card>
      <Card title="Details">
        <KeyValues>
          <KeyValue name="Started">
            <Time at={subscription.startedAt} />
          </KeyValue>
          {subscription.endedAt && (
            <KeyValue name="Ended">
              <Time at={subscription.endedAt} />
            </KeyValue>
          )}
          <KeyValue name="ID">
            <Id value={subscription.id} label="subscription ID" />
          </KeyValue>
        </KeyValues>
      </Card>
      <History id={subscription.id} />
    </>
  );
}

function CancelButton({ subscription, refresh }: { subscription: Subscription; refresh(): void }) {
  const { id, product, customer, currentPeriodEnd, cancelAtPeriodEnd } = subscription;
  const [isOpen, setOpen] = useState(false);
  const title = `${product.name} of ${customerName(customer)}`;
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Button onClick={() => setOpen(true)}>{cancelAtPeriodEnd ? 'End now' : 'Cancel'}</Button>
      <Suspense>
        {isOpen && (
          <CancelDialog
            subscription={{ id, title, currentPeriodEnd, cancelAtPeriodEnd }}
            onDone={refresh}
            onClose={() => setOpen(false)}
          />
        )}
      </Suspense>
    </IfAllowed>
  );
}
