import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { InvoiceDocument } from '../features/invoices/InvoiceDocument';
import { Loaded } from '../features/listing/Loaded';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { PageHead } from '../ui/Surface';

const PortalInvoiceDocument = graphql(`
  query PortalInvoice($id: ID!) {
    me {
      organization {
        id
        ...InvoiceDocument_issuer
      }
    }
    invoice(id: $id) {
      id
      number
      ...InvoiceDocument_invoice
      customer {
        id
        name
        externalId
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

export function PortalInvoice({ id, onClose }: { id: string; onClose(): void }) {
  const [{ data, error }, again] = useQuery({ query: PortalInvoiceDocument, variables: { id } });
  return (
    <Loaded
      what="invoice"
      value={data?.invoice}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {(invoice) => (
        <>
          <PageHead
            title={`Invoice ${invoice.number}`}
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
              customer={<bdi>{invoice.customer.name ?? invoice.customer.externalId}</bdi>}
              product={<bdi>{invoice.subscription.product.name}</bdi>}
            />
          )}
        </>
      )}
    </Loaded>
  );
}
