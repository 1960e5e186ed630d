import type { KeyboardEvent } from 'react';
import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { formatCompact, formatDecimal } from '../../format/decimals';
import { Button } from '../../ui/Button';
import { readDecimal } from '../forms/amounts';
import { FieldMessage, TextInput } from '../forms/fields';
import { RemoveRow } from '../forms/RemoveRow';
import styles from './Product.module.css';
import { newTier, type TierValues } from './productValues';

const COLUMNS = ['upTo', 'unitAmount', 'flatAmount'] as const;
type Column = (typeof COLUMNS)[number];

/** Tiers, edited as a sheet: up and down go from row to row, Enter goes on and makes the next. */
export function TiersTable({ path, currency }: { path: string; currency: string }) {
  const { fields, insert, remove } = useFieldArray({ name: path });
  const { setFocus } = useFormContext();
  const tiers = useWatch({ name: path }) as TierValues[];
  const last = fields.length - 1;

  const fieldOf = (place: number, column: Column) => `${path}.${place}.${column}`;

  function focusOn(place: number, column: Column) {
    // The last tier has no end.
    setFocus(fieldOf(place, column === 'upTo' && place === last ? 'unitAmount' : column));
  }
  function add() {
    // The last stays what it is: the price of everything above.
    insert(last, newTier(), { shouldFocus: true, focusName: fieldOf(last, 'upTo') });
  }
  function onKeyDown(event: KeyboardEvent, place: number, column: Column) {
    if (event.key === 'ArrowDown' && place < last) {
      focusOn(place + 1, column);
    } else if (event.key === 'ArrowUp' && place > 0) {
      focusOn(place - 1, column);
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      if (place < last) {
        focusOn(place + 1, column);
      } else {
        add();
      }
    } else {
      return;
    }
    event.preventDefault();
  }

  return (
    <div data-field={path}>
      <div className={styles.scroller}>
        <table className={styles.tiers}>
          <caption className="visually-hidden">
            Tiers. Arrow keys go from row to row; Enter in the last row adds one.
          </caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Up to</th>
              <th scope="col">Each unit, {currency}</th>
              <th scope="col">Flat fee, {currency}</th>
              <th>
                <span className="visually-hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ id }, place) => (
              <tr key={id}>
                <td>
                  <span className={styles.from}>{fromText(tiers, place)}</span>
                </td>
                {COLUMNS.map((column) => (
                  <td key={column}>
                    {column === 'upTo' && place === last ? (
                      <span className={styles.from}>and above</span>
                    ) : (
                      <TextInput
                        name={fieldOf(place, column)}
                        label={`${LABELS[column]} of tier ${place + 1}`}
                        hideLabel
                        inputMode="decimal"
                        autoComplete="off"
                        placeholder={column === 'flatAmount' ? '0' : ''}
                        onKeyDown={(event) => onKeyDown(event, place, column)}
                      />
                    )}
                  </td>
                ))}
                <td>
                  {fields.length > 1 && (
                    <RemoveRow what="tier" field="unitAmount" {...{ path, place, remove }} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <FieldMessage name={path} />
      <Button small onClick={add}>
        Add tier
      </Button>
    </div>
  );
}

const LABELS: Record<Column, string> = {
  upTo: 'End',
  unitAmount: 'Price of a unit',
  flatAmount: 'Flat fee',
};

/** The bound is in full one row above. */
const LONGEST = 12;

function fromText(tiers: readonly TierValues[], place: number): string {
  if (place === 0) {
    return '0';
  }
  const end = readDecimal(tiers[place - 1]?.upTo ?? '');
  return end === null
    ? '…'
    : `above ${end.length > LONGEST ? formatCompact(end) : formatDecimal(end)}`;
}
