import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { InvoiceStatus as Status } from '../../api/generated/graphql';
import { Badge, type Tone } from '../../ui/Badge';
import { useNow } from '../../ui/useNow';

export const InvoiceStatus_invoice = graphql(`
  fragment InvoiceStatus_invoice on Invoice {
    id
    status
    dueAt
    isWrittenOff
  }
`);

export const STATUS_NAMES: Record<Status, string> = {
  DRAFT: 'Draft',
  ISSUED: 'Issued',
  PAID: 'Paid',
  VOID: 'Void',
};

const TONES: Record<Status, Tone> = {
  DRAFT: 'neutral',
  ISSUED: 'accent',
  PAID: 'good',
  VOID: 'warn',
};

/** Where an invoice is in its life, and whether it should have been paid by now. */
export function InvoiceStatus({
  invoice,
}: {
  invoice: FragmentType<typeof InvoiceStatus_invoice>;
}) {
  const now = useNow();
  const { status, dueAt, isWrittenOff } = readFragment(InvoiceStatus_invoice, invoice);
  if (status === 'ISSUED' && dueAt && Date.parse(dueAt) < now) {
    return <Badge tone="bad">Overdue</Badge>;
  }
  const name = STATUS_NAMES[status];
  return <Badge tone={TONES[status]}>{isWrittenOff ? `${name}, written off` : name}</Badge>;
}
