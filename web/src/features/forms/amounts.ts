/** Amounts as people write them, in major units, and as the API takes them, in minor units. */
import { type Decimal, shift } from '../../format/decimals';
import { currencyDecimals } from '../../format/money';

export const CURRENCIES = Intl.supportedValuesOf('currency');

const WRITTEN = /^-?(\d+\.?\d*|\.\d+)$/;

/** What a person wrote as a decimal: without spaces, and without commas between groups of digits. */
export function readDecimal(text: string): Decimal | null {
  const bare = text.replace(/\s/g, '').replace(/^−/, '-');
  const digits = /^-?\d{1,3}(,\d{3})+(\.\d*)?$/.test(bare) ? bare.replaceAll(',', '') : bare;
  return WRITTEN.test(digits) ? shift(digits, 0) : null;
}

/** 0.004 dollars are "0.4" cents. */
export function toMinor(text: string, currency: string): Decimal | null {
  const major = readDecimal(text);
  return major === null ? null : shift(major, -currencyDecimals(currency));
}

export type WholeAmount = { amount: number } | { problem: string };

/** An amount that is charged: whole minor units. */
export function toWholeMinor(text: string, currency: string): WholeAmount {
  const minor = toMinor(text, currency);
  if (minor === null) {
    return { problem: NOT_A_NUMBER };
  }
  if (minor.includes('.')) {
    const decimals = currencyDecimals(currency);
    return {
      problem:
        decimals === 0
          ? `${currency} has no decimals.`
          : `${currency} has ${decimals} decimals; this amount has more.`,
    };
  }
  // JSON has it as a number, which the browser must be able to write exactly.
  const amount = Number(minor);
  return Number.isSafeInteger(amount) ? { amount } : { problem: 'This amount is too large.' };
}

export const NOT_A_NUMBER = 'Enter a number, such as 12.50.';
