/** How a chart writes its numbers: units of a meter, or money. */
import { type Decimal, formatCompact, formatFitting } from '../../format/decimals';
import { formatCompactMoney, formatMajor } from '../../format/money';
import { plural, unitAfter } from '../../format/units';

export interface Measure {
  /** Exact, where there is room for it. */
  number(quantity: Decimal): string;
  /** Short, for an axis. */
  tick(quantity: Decimal): string;
  /** The heading of a column of plain numbers. */
  heading(name: string): string;
}

export function inUnits(unit: string | null): Measure {
  return {
    number: (quantity) =>
      unit === null
        ? formatFitting(quantity)
        : `${formatFitting(quantity)} ${unitAfter(quantity, unit)}`,
    tick: formatCompact,
    heading: (name) => (unit === null ? name : `${name} (${plural(unit)})`),
  };
}

/** Of amounts in major units. */
export function inMoney(currency: string): Measure {
  return {
    number: (amount) => formatMajor(amount, currency),
    tick: (amount) => formatCompactMoney(amount, currency),
    heading: (name) => `${name} (${currency})`,
  };
}
