/** Amounts of money: whole minor units, such as cents, and a currency's ISO 4217 code. */
import { type Decimal, MINUS, shift } from './decimals';
import { LOCALE } from './locale';

/**
 * How many decimals a currency's major unit has, where that is not two.
 *
 * By ISO 4217, as amounts are billed. `Intl` goes by what is usual on price tags, which differs.
 */
const DECIMALS: Record<string, number> = {
  ...of(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...of(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...of(4, 'CLF UYW'),
};

function of(decimals: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, decimals]));
}

export function currencyDecimals(currency: string): number {
  return DECIMALS[currency] ?? 2;
}

/** An amount in full: formatMoney(-123456, 'USD') is −$1,234.56. */
export function formatMoney(minorUnits: number | bigint | string, currency: string): string {
  return formatMajor(shift(String(minorUnits), currencyDecimals(currency)), currency);
}

/** An amount in major units in full: formatMajor('-1234.5', 'USD') is −$1,234.50. */
export function formatMajor(major: Decimal, currency: string): string {
  const decimals = currencyDecimals(currency);
  return format(major, currency, decimals, decimals);
}

/** An amount in major units for tight places: $1.2K. */
export function formatCompactMoney(major: Decimal, currency: string): string {
  const text = new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    notation: 'compact',
    maximumSignificantDigits: 4,
    minimumSignificantDigits: 1,
  }).format(major as Intl.StringNumericLiteral);
  return text.replace('-', MINUS);
}

/** What a unit costs, with all its decimals: formatUnitAmount('0.0004', 'USD') is $0.000004. */
export function formatUnitAmount(minorUnits: Decimal, currency: string): string {
  return format(
    shift(minorUnits, currencyDecimals(currency)),
    currency,
    currencyDecimals(currency),
    20,
  );
}

function format(major: Decimal, currency: string, least: number, most: number): string {
  const text = new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    minimumFractionDigits: least,
    maximumFractionDigits: most,
  }).format(major as Intl.StringNumericLiteral);
  return text.replace('-', MINUS);
}
