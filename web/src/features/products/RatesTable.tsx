import { useEffect } from 'react';
import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import { classes } from '../../ui/classes';
import { FieldMessage, TextInput } from '../forms/fields';
import { RemoveRow } from '../forms/RemoveRow';
import styles from './Product.module.css';
import { newRate, type RateValues } from './productValues';

const MeterDimensionsDocument = graphql(`
  query MeterDimensions($id: ID!) {
    meter(id: $id) {
      id
      dimensions
    }
  }
`);

/** Prices by the meter's dimensions: a row for each rate, a column for each dimension. */
export function RatesTable({
  path,
  meterId,
  currency,
}: {
  path: string;
  meterId: string | null;
  currency: string;
}) {
  const { fields, append, remove } = useFieldArray({ name: path });
  const { setValue } = useFormContext();
  const rates = useWatch({ name: path }) as RateValues[];
  const [{ data }] = useQuery({
    query: MeterDimensionsDocument,
    variables: { id: meterId ?? '' },
    pause: meterId === null,
  });
  const dimensions = data?.meter?.id === meterId ? (data?.meter?.dimensions ?? null) : null;
  const isOfOther =
    dimensions !== null &&
    rates.some(({ values }) =>
      values.some(({ property }, place) => dimensions[place] !== property),
    );
  useEffect(() => {
    // Rates of another meter name dimensions that this one lacks.
    if (isOfOther) {
      setValue(path, []);
    }
  }, [isOfOther, path, setValue]);
  if (!dimensions?.length || isOfOther) {
    return null;
  }
  return (
    <div data-field={path}>
      {fields.length > 0 && (
        <div className={styles.scroller}>
          <table className={classes(styles.tiers, styles.rates)}>
            <caption className="visually-hidden">
              Rates. The first one that an event matches prices its units.
            </caption>
            <thead>
              <tr>
                {dimensions.map((dimension) => (
                  <th scope="col" key={dimension}>
                    <bdi>{dimension}</bdi>
                  </th>
                ))}
                <th scope="col">Each unit, {currency}</th>
                <th>
                  <span className="visually-hidden">Remove</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {fields.map(({ id }, place) => (
                <tr key={id}>
                  {dimensions.map((dimension, index) => (
                    <td key={dimension}>
                      <TextInput
                        name={`${path}.${place}.values.${index}.value`}
                        label={`${dimension} of rate ${place + 1}`}
                        hideLabel
                        autoComplete="off"
                        placeholder="Any"
                      />
                    </td>
                  ))}
                  <td>
                    <TextInput
                      name={`${path}.${place}.unitAmount`}
                      label={`Price of a unit of rate ${place + 1}`}
                      hideLabel
                      inputMode="decimal"
                      autoComplete="off"
                    />
                    <FieldMessage name={`${path}.${place}.values`} />
                  </td>
                  <td>
                    <RemoveRow what="rate" field="unitAmount" {...{ path, place, remove }} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <FieldMessage name={path} />
      <Button small onClick={() => append(newRate(dimensions))}>
        Add rate
      </Button>
    </div>
  );
}
