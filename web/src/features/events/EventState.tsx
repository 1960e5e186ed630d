import { Badge } from '../../ui/Badge';

/** Whether an event counts. */
export function EventState({
  processedAt,
  voidedAt,
}: {
  processedAt: string | null;
  voidedAt: string | null;
}) {
  if (voidedAt) {
    return <Badge tone="bad">Voided</Badge>;
  }
  return processedAt ? <Badge tone="good">Counted</Badge> : <Badge tone="warn">Waiting</Badge>;
}
