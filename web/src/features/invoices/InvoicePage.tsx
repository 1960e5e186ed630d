import { Link, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import { Money, Time } from '../../ui/Figures';
import { Icon } from '../../ui/Icon';
import { Card, PageHead } from '../../ui/Surface';
import { CustomerLink } from '../customers/CustomerName';
import { Loaded } from '../listing/Loaded';
import styles from './Invoice.module.css';
import { InvoiceLines } from './InvoiceLines';

const InvoicePageDocument = graphql(`
  query InvoicePage($id: ID!) {
    organization {
      id
      displayName
      address
    }
    invoice(id: $id) {
      id
      number
      currency
      total
      issuedAt
      lines {
        ...InvoiceLines_line
      }
      customer {
        id
        externalId
        email
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

/** An invoice as a document, which the browser prints. */
export function InvoicePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: InvoicePageDocument, variables: { id } });
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
            above={<Link to="/invoices">Invoices</Link>}
            title={`Invoice ${invoice.number}`}
            tools={
              <Button onClick={() => window.print()}>
                <Icon name="print" size={14} />
                Print or save as PDF
              </Button>
            }
          />
          <div className={styles.document}>
            <Card flush>
              <div className={styles.parties}>
                <div>
                  <h2>From</h2>
                  <strong>
                    <bdi>{data?.organization.displayName}</bdi>
                  </strong>
                  {data?.organization.address && (
                    <div className={styles.address}>{data.organization.address}</div>
                  )}
                </div>
                <div>
                  <h2>To</h2>
                  <strong>
                    <CustomerLink customer={invoice.customer} />
                  </strong>
                  {invoice.customer.email && (
                    <div>
                      <bdi>{invoice.customer.email}</bdi>
                    </div>
                  )}
                </div>
                <div>
                  <h2>Issued</h2>
                  <Time at={invoice.issuedAt} />
                </div>
                <div>
                  <h2>For</h2>
                  <Link to="/subscriptions/$id" params={{ id: invoice.subscription.id }}>
                    <bdi>{invoice.subscription.product.name}</bdi>
                  </Link>
                </div>
                <div className={styles.amount}>
                  <h2>Total</h2>
                  <Money amount={invoice.total} currency={invoice.currency} />
                </div>
              </div>
              <InvoiceLines
                lines={invoice.lines}
                currency={invoice.currency}
                total={invoice.total}
              />
            </Card>
          </div>
        </>
      )}
    </Loaded>
  );
}
