import type { ReactNode } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Money, Time } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import styles from './Invoice.module.css';
import { InvoiceLines } from './InvoiceLines';

export const InvoiceDocument_invoice = graphql(`
  fragment InvoiceDocument_invoice on Invoice {
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
      email
    }
  }
`);

export const InvoiceDocument_issuer = graphql(`
  fragment InvoiceDocument_issuer on Organization {
    id
    displayName
    address
    logoUrl
  }
`);

/** An invoice as a document, which the browser prints. */
export function InvoiceDocument({
  invoice: of,
  issuer: by,
  customer,
  product,
}: {
  invoice: FragmentType<typeof InvoiceDocument_invoice>;
  issuer: FragmentType<typeof InvoiceDocument_issuer>;
  /** Names; links where there are pages about them. */
  customer: ReactNode;
  product: ReactNode;
}) {
  const invoice = readFragment(InvoiceDocument_invoice, of);
  const { displayName, address, logoUrl } = readFragment(InvoiceDocument_issuer, by);
  return (
    <div className={styles.document}>
      <Card flush>
        <div className={styles.parties}>
          <div>
            <h2>From</h2>
            {logoUrl && <img className={styles.logo} src={logoUrl} alt="" />}
            <strong>
              <bdi>{displayName}</bdi>
            </strong>
            {address && <div className={styles.address}>{address}</div>}
          </div>
          <div>
            <h2>To</h2>
            <strong>{customer}</strong>
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
            {product}
          </div>
          <div className={styles.amount}>
            <h2>Total</h2>
            <Money amount={invoice.total} currency={invoice.currency} />
          </div>
        </div>
        <InvoiceLines lines={invoice.lines} currency={invoice.currency} total={invoice.total} />
      </Card>
    </div>
  );
}
