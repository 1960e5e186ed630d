/** Numbers of units that show how a price works. What they cost is the API's to say. */
import type { MeteredPriceInput } from '../../api/generated/graphql';
import { add, type Decimal } from '../../format/decimals';

const MOST_BOUNDS = 4;

export function exampleUnits({ pricing, tiers, packageSize }: MeteredPriceInput): Decimal[] {
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
  return distinct([...shown, add(last, last)]);
}

function distinct(values: readonly Decimal[]): Decimal[] {
  return [...new Set(values)];
}
