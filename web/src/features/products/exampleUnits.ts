/** Numbers of units that show how a price works. What they cost is the API's to say. */
import type { MeteredPriceInput } from '../../api/generated/graphql';
import { add, compare, type Decimal, shift } from '../../format/decimals';

const MOST_BOUNDS = 4;
/** The API rates no more: 10³⁰. */
const MOST_UNITS: Decimal = `1${'0'.repeat(30)}`;

export function exampleUnits(price: MeteredPriceInput): Decimal[] {
  const costsAnyway = price.minimumAmount || price.billsFlatAmountAtZero;
  return [...(costsAnyway ? ['0'] : []), ...usedUnits(price)];
}

function usedUnits({ pricing, tiers, packageSize, conversion }: MeteredPriceInput): Decimal[] {
  const divideBy = conversion?.divideBy;
  if (divideBy) {
    // The units of the meter, at which the price may begin to count another one of its own.
    return distinct(['1', divideBy, add(divideBy, '1'), shift(divideBy, -3)]);
  }
  if (pricing === 'PACKAGE' && packageSize) {
    const next = add(packageSize, '1');
    return distinct(['1', packageSize, next]);
  }
  const bounds = (tiers ?? []).flatMap(({ upTo }) => (upTo ? [upTo] : []));
  const last = bounds.at(-1);
  if (last === undefined) {
    return ['1', '1000', '1000000'];
  }
  const shown = bounds.length > MOST_BOUNDS ? [...bounds.slice(0, MOST_BOUNDS - 1), last] : bounds;
  const above = add(last, last);
  return distinct(compare(above, MOST_UNITS) > 0 ? shown : [...shown, above]);
}

function distinct(values: readonly Decimal[]): Decimal[] {
  return [...new Set(values)];
}
