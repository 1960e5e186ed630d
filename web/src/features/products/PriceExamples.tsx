import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { MeteredPriceInput, PriceExamplesQueryVariables } from '../../api/generated/graphql';
import { problemOf, withoutPlace } from '../../api/problems';
import type { Decimal } from '../../format/decimals';
import { formatMoney } from '../../format/money';
import { unitAfter } from '../../format/units';
import { SelectField, TextField } from '../../ui/Field';
import { Quantity } from '../../ui/Figures';
import { useSettled } from '../../ui/useSettled';
import { readDecimal } from '../forms/amounts';
import { exampleUnits } from './exampleUnits';
import styles from './Product.module.css';
import { rateName } from './rates';

const PriceExamplesDocument = graphql(`
  query PriceExamples(
    $price: MeteredPriceInput!
    $units: [Decimal!]!
    $values: [DimensionValueInput!]
  ) {
    priceExamples(price: $price, units: $units, values: $values) {
      units
      amount
    }
  }
`);

/** After the last key. */
const PAUSE = 300;

/** What some numbers of units cost at a price, and any other that one enters. */
export function PriceExamples({
  price,
  unit,
}: {
  /** Null while it is incomplete. */
  price: MeteredPriceInput | null;
  unit: string | null;
}) {
  const [text, setText] = useState('');
  const own = readDecimal(text);
  const units = price === null ? [] : [...exampleUnits(price), ...(own === null ? [] : [own])];
  const rates = price?.rates ?? [];
  const [chosen, setChosen] = useState('');
  const rate = rates[Number(chosen || Number.NaN)];
  const question = useSettled(JSON.stringify({ price, units, values: rate?.values }), PAUSE);
  const variables = JSON.parse(question) as PriceExamplesQueryVariables;
  const [{ data, error }] = useQuery({
    query: PriceExamplesDocument,
    variables,
    pause: variables.price === null,
    requestPolicy: 'cache-first',
  });
  const answers = price === null ? [] : (data?.priceExamples ?? []);
  const amountOf = (number: Decimal): string | null => {
    const found = answers.find((each) => each.units === number);
    if (found === undefined || price === null) {
      return null;
    }
    return found.amount == null ? 'Too large' : formatMoney(found.amount, price.currency);
  };
  const refusal = price !== null && data?.priceExamples === undefined && error;
  return (
    <div className={styles.examples}>
      <h3>What it costs</h3>
      {rates.length > 0 && (
        <SelectField
          label="Units of"
          value={chosen}
          options={[
            ...rates.map(({ values }, place) => ({
              value: String(place),
              label: rateName(values),
            })),
            { value: '', label: 'All other events' },
          ]}
          onChange={setChosen}
        />
      )}
      {price === null ? (
        <p className={styles.detail}>Complete the price to see what units cost.</p>
      ) : (
        <table>
          <caption className="visually-hidden">What units cost in a period, after credit</caption>
          <tbody>
            {exampleUnits(price).map((number) => (
              <tr key={number}>
                <th scope="row">
                  <Quantity value={number} unit={unit ?? 'unit'} />
                </th>
                <td>{amountOf(number) ?? '…'}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">
                <TextField
                  label="Another number of units"
                  hideLabel
                  inputMode="decimal"
                  autoComplete="off"
                  placeholder="Another number"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                  onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
                />{' '}
                {unitAfter(own ?? '2', unit ?? 'unit')}
              </th>
              <td>
                <output>{own !== null && (amountOf(own) ?? '…')}</output>
              </td>
            </tr>
          </tbody>
        </table>
      )}
      {refusal && <p className={styles.detail}>{withoutPlace(problemOf(refusal).advice)}</p>}
    </div>
  );
}
