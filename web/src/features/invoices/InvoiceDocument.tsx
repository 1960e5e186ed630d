import type { ReactNode } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { InvoiceStatus as Status } from '../../api/generated/graphql';
import { Money, Time } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import { CreditNotes } from './CreditNotes';
import styles from './Invoice.module.css';
import { InvoiceLines, type LineUsage } from './InvoiceLines';

export const InvoiceDocument_invoice = graphql(`
  fragment InvoiceDocument_invoice on Invoice {
    id
    number
    currency
    total
    issuedAt
    status
    dueAt
    paidAt
    voidedAt
    creditNotes {
      ...CreditNotes_note
    }
    lines {
      ...InvoiceLines_line
    }
    customer {
      id
      email
    }
    subscription {
      id
      trialEndsAt
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

const NOTES: Partial<Record<Status, string>> = {
  DRAFT: 'This is a draft. Its lines change with the usage until it is issued.',
  VOID: 'This invoice is void. Do not pay it.',
};

function Day({ name, at }: { name: string; at: string | null | undefined }) {
  return (
    at && (
      <div>
        <h2>{name}</h2>
        <Time at={at} day />
      </div>
    )
  );
}

/** An invoice as a document, which the browser prints. */
export function InvoiceDocument({
  invoice: of,
  issuer: by,
  customer,
  subscription,
  usageLink,
  why,
}: {
  invoice: FragmentType<typeof InvoiceDocument_invoice>;
  issuer: FragmentType<typeof InvoiceDocument_issuer>;
  /** A name; a link where there is a page about it. */
  customer: ReactNode;
  /** A link; the document does not have it, as the subscription may have changed since. */
  subscription?: ReactNode;
  usageLink?: (usage: LineUsage) => ReactNode;
  why: (ordinal: number, onClose: () => void) => ReactNode;
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
            <h2>{invoice.status === 'DRAFT' ? 'Will be issued' : 'Issued'}</h2>
            <Time at={invoice.issuedAt} />
          </div>
          {invoice.status === 'ISSUED' && <Day name="Due" at={invoice.dueAt} />}
          <Day name="Paid" at={invoice.paidAt} />
          <Day name="Voided" at={invoice.voidedAt} />
          {subscription && (
            <div className="screen-only">
              <h2>Subscription</h2>
              {subscription}
            </div>
          )}
          <div className={styles.amount}>
            <h2>Total</h2>
            <Money amount={invoice.total} currency={invoice.currency} />
          </div>
        </div>
        {NOTES[invoice.status] && <p className={styles.state}>{NOTES[invoice.status]}</p>}
        <InvoiceLines
          lines={invoice.lines}
          currency={invoice.currency}
          total={invoice.total}
          usageLink={usageLink}
          why={why}
          trialEndsAt={invoice.subscription.trialEndsAt}
        />
        {invoice.creditNotes.length > 0 && (
          <CreditNotes notes={invoice.creditNotes} currency={invoice.currency} />
        )}
      </Card>
    </div>
  );
}
