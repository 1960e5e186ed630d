import { Button } from '../../ui/Button';
import { Icon } from '../../ui/Icon';

/**
 * Removes a row of a list of fields. The focus stays in the list: in the row before, or the next one
 * if there is none before, or on the button that adds a row. The list has `data-field`.
 */
export function RemoveRow({
  what,
  path,
  place,
  field,
  remove,
}: {
  /** Such as “rate”. */
  what: string;
  /** The name of the list. */
  path: string;
  /** Of the row; the first is 0. */
  place: number;
  /** What has the focus afterwards, of the other row. */
  field: string;
  remove(place: number): void;
}) {
  function onClick(button: HTMLElement) {
    const other = `${path}.${place === 0 ? 1 : place - 1}.${field}`;
    const list = button.closest(`[data-field="${CSS.escape(path)}"]`);
    const target =
      list?.querySelector<HTMLElement>(`[name="${CSS.escape(other)}"]`) ??
      list?.querySelector<HTMLElement>(':scope > button');
    target?.focus();
    remove(place);
  }
  return (
    <Button
      look="quiet"
      iconOnly
      aria-label={`Remove ${what} ${place + 1}`}
      title="Remove"
      onClick={({ currentTarget }) => onClick(currentTarget)}
    >
      <Icon name="close" size={14} />
    </Button>
  );
}
