/** How the API computes a charge from units and a price, in words. The amount itself is the API's. */
import {
  compare,
  type Decimal,
  formatDecimal,
  formatFitting,
  sign,
  subtract,
} from '../../format/decimals';
import { formatMoney, formatUnitAmount } from '../../format/money';

export interface Rate {
  currency: string;
  pricing: 'PER_UNIT' | 'GRADUATED' | 'VOLUME' | 'PACKAGE';
  unitAmount?: Decimal | null;
  packageAmount?: number | null;
  packageSize?: Decimal | null;
  capAmount?: number | null;
  minimumAmount?: number | null;
  billsFlatAmountAtZero?: boolean;
  conversion?: { divideBy: Decimal } | null;
  tiers?: readonly Tier[] | null;
}

interface Tier {
  upTo?: Decimal | null;
  unitAmount: Decimal;
  flatAmount: number;
}

/**
 * One text for each part of the charge; none where nothing is charged. `converted` are the units
 * as the price converts them.
 */
export function computation(rate: Rate, units: Decimal, converted?: Decimal | null): string[] {
  const { capAmount, minimumAmount, conversion, currency } = rate;
  const priced = converted ?? units;
  const parts: string[] = [];
  if (conversion && converted != null && sign(units) > 0) {
    const divided = `${formatFitting(units)} ÷ ${formatDecimal(conversion.divideBy)}`;
    parts.push(`${divided} → ${formatFitting(converted)}`);
  }
  if (sign(priced) > 0) {
    parts.push(...partsOf(rate, priced));
  } else if (rate.billsFlatAmountAtZero) {
    parts.push(formatMoney(rate.tiers?.[0]?.flatAmount ?? 0, currency));
  }
  if (typeof capAmount === 'number' && parts.length > 0) {
    parts.push(`At most ${formatMoney(capAmount, currency)}`);
  }
  if (typeof minimumAmount === 'number') {
    parts.push(`At least ${formatMoney(minimumAmount, currency)}`);
  }
  return parts;
}

function partsOf(rate: Rate, units: Decimal): string[] {
  const { currency, tiers } = rate;
  switch (rate.pricing) {
    case 'PER_UNIT':
      return [times(units, rate.unitAmount ?? '0', currency)];
    case 'PACKAGE':
      return [
        `${formatMoney(rate.packageAmount ?? 0, currency)} for each ${formatDecimal(
          rate.packageSize ?? '1',
        )} or part of them`,
      ];
    case 'GRADUATED':
      return graduated(tiers ?? [], units, currency);
    case 'VOLUME': {
      const reached = tiers?.find(({ upTo }) => upTo == null || compare(units, upTo) <= 0);
      return reached ? [tiered(reached, units, currency)] : [];
    }
  }
}

function graduated(tiers: readonly Tier[], units: Decimal, currency: string): string[] {
  const parts: string[] = [];
  let below: Decimal = '0';
  for (const tier of tiers) {
    if (compare(units, below) <= 0) {
      break;
    }
    const top = tier.upTo == null || compare(units, tier.upTo) < 0 ? units : tier.upTo;
    const place = parts.length === 0 ? 'First' : 'Next';
    parts.push(`${place} ${tiered(tier, subtract(top, below), currency)}`);
    below = top;
  }
  return parts;
}

function tiered({ unitAmount, flatAmount }: Tier, units: Decimal, currency: string): string {
  const once = flatAmount === 0 ? '' : ` + ${formatMoney(flatAmount, currency)}`;
  return times(units, unitAmount, currency) + once;
}

function times(units: Decimal, unitAmount: Decimal, currency: string): string {
  return `${formatFitting(units)} × ${formatUnitAmount(unitAmount, currency)}`;
}
