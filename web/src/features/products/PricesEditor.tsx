import { useFieldArray } from 'react-hook-form';
import { Button } from '../../ui/Button';
import { usePermission } from '../access/permissions';
import { FieldMessage } from '../forms/fields';
import { PriceEditor } from './PriceEditor';
import styles from './Product.module.css';
import { newPrice, type PriceValues } from './productValues';

/** The prices of a product, and buttons for more. */
export function PricesEditor() {
  const { fields, append, remove } = useFieldArray({ name: 'prices' });
  const canMakeMeters = usePermission('METERS_WRITE') === 'yes';
  const add = (kind: PriceValues['kind']) =>
    append(newPrice(kind), {
      focusName: `prices.${fields.length}.${kind === 'fixed' ? 'fixed.amount' : 'metered.pricing'}`,
    });
  return (
    <>
      {fields.map(({ id }, place) => (
        <PriceEditor
          key={id}
          place={place}
          canMakeMeters={canMakeMeters}
          onRemove={fields.length > 1 ? () => remove(place) : null}
        />
      ))}
      <div data-field="prices">
        <FieldMessage name="prices" />
        <div className={styles.adding}>
          <Button onClick={() => add('fixed')}>Add fixed price</Button>
          <Button onClick={() => add('metered')}>Add metered price</Button>
        </div>
      </div>
    </>
  );
}
