/** Discounts in words. */
import { type Decimal, formatDecimal } from './decimals';
import { formatMoney } from './money';

export interface Discount {
  percentOff?: Decimal | null;
  amountOff?: number | null;
  periodsLeft?: number | null;
}

/** 20% off, for 3 more periods; $10.00 off each period. */
export function formatDiscount(
  { percentOff, amountOff, periodsLeft }: Discount,
  currency: string,
): string {
  const off =
    percentOff == null
      ? `${formatMoney(amountOff ?? 0, currency)} off each period`
      : `${formatDecimal(percentOff)}% off`;
  if (periodsLeft == null) {
    return off;
  }
  return periodsLeft === 1
    ? `${off}, for the current period`
    : `${off}, for ${periodsLeft.toLocaleString('en')} periods with the current one`;
}
