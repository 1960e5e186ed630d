import { lazy } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { InvoiceDocument } from '../features/invoices/InvoiceDocument';
import { InvoiceStatus } from '../features/invoices/InvoiceStatus';
import { Loaded } from '../features/listing/Loaded';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { PageHead } from '../ui/Surface';

const PortalLineWhy = lazy(async () => ({
  default: (await import('./PortalLineWhy')).PortalLineWhy,
}));

const PortalInvoiceDocument = graphql(`
  query PortalInvoice($id: ID!) {
    me {
      organization {
        id
        ...InvoiceDocument_issuer
      }
    }
    viewer {
      id
      name
      externalId
      invoice(id: $id) {
        id
        number
        ...InvoiceStatus_invoice
        ...InvoiceDocument_invoice
      }
    }
  }
`);

/** One of the customer's invoices, as a document. */
export function PortalInvoice({ id, onClose }: { id: string; onClose(): void }) {
  const [{ data, error }, again] = useQuery({
    query: PortalInvoiceDocument,
    variables: { id },
  });
  const customer = data?.viewer;
  return (
    <Loaded
      what="invoice"
      value={data && (customer?.invoice ?? null)}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
      wayBack={<Button onClick={onClose}>All usage and invoices</Button>}
    >
      {(invoice) => (
        <>
          <PageHead
            title={invoice.number ? `Invoice ${invoice.number}` : 'Draft invoice'}
            badge={<InvoiceStatus invoice={invoice} />}
            tools={
              <>
                <Button onClick={onClose}>Back</Button>
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
              issuer={data.me.organization}
              why={(ordinal, onClose) => (
                <PortalLineWhy id={invoice.id} ordinal={ordinal} onClose={onClose} />
              )}
              customer={<bdi>{customer?.name ?? customer?.externalId}</bdi>}
            />
          )}
        </>
      )}
    </Loaded>
  );
}
