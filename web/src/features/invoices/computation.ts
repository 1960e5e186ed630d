/** How the API computes a charge from units and a price, in words. The amount itself is the API's. */
import { compare, type Decimal, formatDecimal, sign, subtract } from '../../format/decimals';
import { formatMoney, formatUnitAmount } from '../../format/money';

export interface Rate {
  currency: string;
  pricing: 'PER_UNIT' | 'GRADUATED' | 'VOLUME' | 'PACKAGE';
  unitAmount?: Decimal | null;
  packageAmount?: number | null;
  packageSize?: Decimal | null;
  capAmount?: number | null;
  tiers?: readonly Tier[] | null;
}

interface Tier {
  upTo?: Decimal | null;
  unitAmount: Decimal;
  flatAmount: number;
}

/** One text for each part of the charge; none where nothing is charged. */
export function computation(rate: Rate, units: Decimal): string[] {
  if (sign(units) <= 0) {
    return [];
  }
  const parts = partsOf(rate, units);
  return typeof rate.capAmount === 'number'
    ? [...parts, `At most ${formatMoney(rate.capAmount, rate.currency)}`]
    : parts;
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
  return `${formatDecimal(units)} × ${formatUnitAmount(unitAmount, currency)}`;
}
