import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { Button } from '../../ui/Button';
import { Card, Stack } from '../../ui/Surface';
import { FieldMessage, SuggestedInput } from '../forms/fields';
import { RemoveRow } from '../forms/RemoveRow';
import styles from './Builder.module.css';
import { type MeterValues, namesIn, propertiesOf } from './meterValues';
import { useKnownEvents } from './useKnownEvents';

/** As many as the API takes. */
const MOST = 5;

/** The properties by whose values usage is also kept. */
export function DimensionFields() {
  const events = useKnownEvents();
  const { control } = useFormContext<MeterValues>();
  const filter = useWatch({ control, name: 'filter' });
  const { fields, append, remove } = useFieldArray({ control, name: 'dimensions' });
  const properties = ['name', ...propertiesOf(events, namesIn(filter))];
  return (
    <Card title="Dimensions (optional)">
      <Stack>
        <p className={styles.note}>
          Usage is also kept by the values of these properties, such as <code>model</code> or{' '}
          <code>region</code>, so that it can be grouped by them. They can change at any time: usage
          by dimension is then counted again, and totals stay right. Choose properties with few
          values.
        </p>
        <div data-field="dimensions">
          {fields.map(({ id }, place) => (
            <div key={id} className={styles.dimension}>
              <SuggestedInput
                name={`dimensions.${place}.property`}
                label={`Dimension ${place + 1}`}
                hideLabel
                placeholder="Property"
                options={properties}
              />
              <RemoveRow
                what="dimension"
                path="dimensions"
                field="property"
                {...{ place, remove }}
              />
            </div>
          ))}
          <FieldMessage name="dimensions" />
          {fields.length < MOST && (
            <Button small onClick={() => append({ property: '' })}>
              Add dimension
            </Button>
          )}
        </div>
      </Stack>
    </Card>
  );
}
