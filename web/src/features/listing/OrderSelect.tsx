import { ToolSelect } from '../../ui/Field';

const ORDERS = [
  { value: 'NEWEST', label: 'Newest first' },
  { value: 'OLDEST', label: 'Oldest first' },
] as const;

/** Which of a list come first; the newest unless the address says otherwise. */
export function OrderSelect({
  order,
  onChange,
}: {
  order: string | undefined;
  onChange(order: string | undefined): void;
}) {
  return (
    <ToolSelect
      label="Order"
      value={order === 'OLDEST' ? 'OLDEST' : 'NEWEST'}
      options={ORDERS}
      onChange={(next) => onChange(next === 'NEWEST' ? undefined : next)}
    />
  );
}
