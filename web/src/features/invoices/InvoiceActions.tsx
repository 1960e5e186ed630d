import { lazy, Suspense, useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { InvoiceStatus as Status } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import { IfAllowed } from '../access/permissions';

export const InvoiceActions_invoice = graphql(`
  fragment InvoiceActions_invoice on Invoice {
    id
    number
    status
    currency
    total
    creditNotes {
      id
      amount
    }
  }
`);

const InvoiceDialog = lazy(async () => ({
  default: (await import('./InvoiceDialogs')).InvoiceDialog,
}));

export type Action = 'finalize' | 'pay' | 'credit' | 'void';

const LABELS: Record<Action, string> = {
  finalize: 'Issue now',
  pay: 'Mark as paid',
  credit: 'Credit note',
  void: 'Void',
};

const ALLOWED: Record<Status, readonly Action[]> = {
  DRAFT: ['finalize'],
  ISSUED: ['pay', 'credit', 'void'],
  PAID: ['credit'],
  VOID: [],
};

/** What can be done with an invoice in its state. Each asks before it does anything. */
export function InvoiceActions({
  invoice: of,
  onDone,
}: {
  invoice: FragmentType<typeof InvoiceActions_invoice>;
  onDone(): void;
}) {
  const { id, number, status, currency, total, creditNotes } = readFragment(
    InvoiceActions_invoice,
    of,
  );
  const [action, setAction] = useState<Action | null>(null);
  const left = total - creditNotes.reduce((sum, { amount }) => sum + amount, 0);
  const isPossible = (each: Action) =>
    (each !== 'credit' || left > 0) && (each !== 'void' || creditNotes.length === 0);
  return (
    <IfAllowed scope="BILLING_WRITE">
      {ALLOWED[status].filter(isPossible).map((each) => (
        <Button key={each} onClick={() => setAction(each)}>
          {LABELS[each]}
        </Button>
      ))}
      <Suspense>
        {action && (
          <InvoiceDialog
            action={action}
            invoice={{ id, number, currency, left }}
            onDone={onDone}
            onClose={() => setAction(null)}
          />
        )}
      </Suspense>
    </IfAllowed>
  );
}
