import { Link, useParams } from '@tanstack/react-router';
import { lazy, useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { PageHead } from '../../ui/Surface';
import { useFollowing } from '../../ui/useFollowing';
import { History } from '../audit/History';
import { CustomerLink } from '../customers/CustomerName';
import { Loaded } from '../listing/Loaded';
import { InvoiceActions } from './InvoiceActions';
import { InvoiceComparison } from './InvoiceComparison';
import { InvoiceDocument } from './InvoiceDocument';
import { InvoiceStatus } from './InvoiceStatus';
import { UsageLink } from './UsageLink';

const InvoiceLineWhy = lazy(async () => ({
  default: (await import('./InvoiceLineWhy')).InvoiceLineWhy,
}));

const InvoicePageDocument = graphql(`
  query InvoicePage($id: ID!) {
    organization {
      id
      ...InvoiceDocument_issuer
    }
    invoice(id: $id) {
      id
      number
      issuedAt
      status
      paymentReference
      voidReason
      ...InvoiceStatus_invoice
      ...InvoiceActions_invoice
      ...InvoiceDocument_invoice
      customer {
        id
        ...CustomerName_customer
      }
      subscription {
        id
        product {
          id
          name
        }
      }
    }
  }
`);

export function InvoicePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: InvoicePageDocument, variables: { id } });
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  const [changed, setChanged] = useState<string | null>(null);
  // A worker issues it a moment later if events are waiting to be counted.
  useFollowing(changed === id && data?.invoice?.status === 'DRAFT', refresh);
  const onDone = () => {
    setChanged(id);
    refresh();
  };
  return (
    <Loaded what="invoice" value={data?.invoice} error={error} onRetry={refresh}>
      {(invoice) => (
        <>
          <PageHead
            above={<Link to="/invoices">Invoices</Link>}
            title={invoice.number ? `Invoice ${invoice.number}` : 'Draft invoice'}
            badge={<InvoiceStatus invoice={invoice} />}
            about={<Why reason={invoice.voidReason} reference={invoice.paymentReference} />}
            tools={
              <>
                <InvoiceActions invoice={invoice} onDone={onDone} />
                <Button onClick={() => window.print()}>
                  <Icon name="print" size={14} />
                  Print or save as PDF
                </Button>
              </>
            }
          />
          {data && (
            <InvoiceDocument
              invoice={invoice}
              issuer={data.organization}
              customer={<CustomerLink customer={invoice.customer} />}
              subscription={
                <Link to="/subscriptions/$id" params={{ id: invoice.subscription.id }}>
                  <bdi>{invoice.subscription.product.name}</bdi>
                </Link>
              }
              why={(ordinal, onClose) => (
                <InvoiceLineWhy id={invoice.id} ordinal={ordinal} onClose={onClose} />
              )}
              usageLink={(usage) => <UsageLink usage={usage} customerId={invoice.customer.id} />}
            />
          )}
          {invoice.status !== 'VOID' && (
            <InvoiceComparison
              key={invoice.id}
              id={invoice.id}
              subscriptionId={invoice.subscription.id}
              issuedAt={invoice.issuedAt}
            />
          )}
          <div className="screen-only">
            <History id={invoice.id} />
          </div>
        </>
      )}
    </Loaded>
  );
}

/** Why it was voided, or how it was paid. */
function Why({
  reason,
  reference,
}: {
  reason: string | null | undefined;
  reference: string | null | undefined;
}) {
  const text = reason ?? reference;
  return (
    text && (
      <>
        {reason ? 'Voided' : 'Payment'}: <bdi>{text}</bdi>
      </>
    )
  );
}
