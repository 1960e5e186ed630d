/**
 * Exact decimal numbers, as the API sends them: strings in fixed-point notation.
 *
 * They are added and compared as integers of any size, and never become a `number`, except where
 * something is drawn: `toDrawing` says so.
 */
import { LOCALE } from './locale';

export type Decimal = string;

interface Scaled {
  /** The decimal times ten to the power of `scale`. */
  units: bigint;
  scale: number;
}

/** Beyond so many digits, a compact form is a power of ten. */
const MOST_DIGITS = 15;
/** How many characters a number in a table may have. */
const ROOM = 18;
/** More come from divisions, such as those by time: nobody has entered them. */
const MOST_DECIMALS = 6;

const WHOLE = new Intl.NumberFormat(LOCALE);
/** What stands before a number below zero; as wide as a digit, unlike a hyphen. */
export const MINUS = '−';
const ROUNDED = new Intl.NumberFormat(LOCALE, {
  maximumFractionDigits: 2,
  maximumSignificantDigits: 6,
  roundingPriority: 'morePrecision',
});
const COMPACT = new Intl.NumberFormat(LOCALE, {
  notation: 'compact',
  maximumSignificantDigits: 4,
  minimumSignificantDigits: 1,
});
const POWER = new Intl.NumberFormat(LOCALE, { notation: 'scientific', maximumFractionDigits: 2 });

/** What `Intl.NumberFormat` reads exactly. */
function literal(value: Decimal): Intl.StringNumericLiteral {
  return value as Intl.StringNumericLiteral;
}

/** All digits, in groups: 1,234,567.000001. */
export function formatDecimal(value: Decimal): string {
  const { units, scale } = parse(value);
  const digits = absolute(units)
    .toString()
    .padStart(scale + 1, '0');
  const whole = WHOLE.format(BigInt(digits.slice(0, digits.length - scale)));
  const fraction = digits.slice(digits.length - scale);
  return `${units < 0n ? MINUS : ''}${whole}${scale > 0 ? `.${fraction}` : ''}`;
}

/** What one reads in a table: a few decimals, or a power of ten. Show the exact one on hover. */
export function formatFitting(value: Decimal): string {
  const { units, scale } = parse(value);
  if (value.length <= ROOM && scale <= MOST_DECIMALS) {
    return formatDecimal(value);
  }
  return absolute(units).toString().length - scale > MOST_DIGITS
    ? formatCompact(value)
    : ROUNDED.format(literal(value)).replace('-', MINUS);
}

/** A short form for tight places, such as 1.235M. Show the exact one on hover. */
export function formatCompact(value: Decimal): string {
  const { units, scale } = parse(value);
  const digits = absolute(units).toString().length - scale;
  if (digits > MOST_DIGITS) {
    const [mantissa = '', exponent = ''] = POWER.format(literal(value)).split('E');
    return `${mantissa.replace('-', MINUS)} × 10${raised(exponent)}`;
  }
  return COMPACT.format(literal(value)).replace('-', MINUS);
}

/** Below, equal or above zero. */
export function sign(value: Decimal): -1 | 0 | 1 {
  const { units } = parse(value);
  if (units === 0n) {
    return 0;
  }
  return units < 0n ? -1 : 1;
}

export function compare(first: Decimal, second: Decimal): -1 | 0 | 1 {
  return sign(subtract(first, second));
}

export function add(first: Decimal, second: Decimal): Decimal {
  const [a, b, scale] = aligned(first, second);
  return print({ units: a + b, scale });
}

export function subtract(first: Decimal, second: Decimal): Decimal {
  const [a, b, scale] = aligned(first, second);
  return print({ units: a - b, scale });
}

export function sum(values: readonly Decimal[]): Decimal {
  return values.reduce(add, '0');
}

/** The decimal with its point moved to the left: shift('1234', 2) is 12.34. */
export function shift(value: Decimal, places: number): Decimal {
  const { units, scale } = parse(value);
  return print({ units, scale: scale + places });
}

/**
 * How much a value changed, as "+12.5%"; null where it was nothing before.
 *
 * A tenth of a percent is enough; a change that is too small to show is "0%".
 */
export function formatChange(before: Decimal, after: Decimal): string | null {
  const [was, is] = aligned(before, after);
  if (was === 0n) {
    return null;
  }
  const permille = dividedRounding((is - was) * 1000n, absolute(was));
  if (permille === 0n) {
    return '0%';
  }
  const percent = formatDecimal(print({ units: absolute(permille), scale: 1 }));
  return `${permille < 0n ? MINUS : '+'}${percent}%`;
}

/** The share of a whole, to a tenth of a percent: 12.5%, or < 0.1%. A dash where there is no whole. */
export function percent(part: Decimal, whole: Decimal): string {
  const [a, b] = aligned(part, whole);
  if (b === 0n) {
    return '–';
  }
  const permille = dividedRounding((b < 0n ? -a : a) * 1000n, absolute(b));
  if (permille === 0n && a !== 0n) {
    return '< 0.1%';
  }
  return `${formatDecimal(print({ units: permille, scale: 1 }))}%`;
}

/** The share of a whole, 0 to 1, for a bar; 0 where there is no whole. */
export function share(part: Decimal, whole: Decimal): number {
  const [a, b] = aligned(part, whole);
  if (b <= 0n || a <= 0n) {
    return 0;
  }
  return Math.min(1, Number((a * 1_000_000n) / b) / 1_000_000);
}

/** A number to draw with, correct to 15 digits. Never show it. */
export function toDrawing(value: Decimal): number {
  return Number(value);
}

/** A drawn number, such as a tick of an axis, as the decimal that it stands for. */
export function fromDrawing(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential(11).split('e');
  return print(stripped(parse(shift(mantissa, -Number(exponent)))));
}

/** Digits as they stand above: ³⁹. */
function raised(digits: string): string {
  return digits.replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '');
}

function parse(value: Decimal): Scaled {
  const found = /^(-?)(\d*)(?:\.(\d*))?$/.exec(value);
  if (found === null || value === '' || value === '-' || value === '.') {
    throw new RangeError(`Not a decimal: ${value}`);
  }
  const [, minus, whole = '', fraction = ''] = found;
  const units = BigInt(`${whole}${fraction}` || '0');
  return { units: minus ? -units : units, scale: fraction.length };
}

function aligned(first: Decimal, second: Decimal): [bigint, bigint, number] {
  const a = parse(first);
  const b = parse(second);
  const scale = Math.max(a.scale, b.scale);
  return [a.units * power(scale - a.scale), b.units * power(scale - b.scale), scale];
}

function print(value: Scaled): Decimal {
  const { units, scale } = stripped(
    value.scale < 0 ? { units: value.units * power(-value.scale), scale: 0 } : value,
  );
  const digits = absolute(units)
    .toString()
    .padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${scale > 0 ? `.${fraction}` : ''}`;
}

function stripped({ units, scale }: Scaled): Scaled {
  let [shorter, places] = [units, scale];
  while (places > 0 && shorter % 10n === 0n) {
    shorter /= 10n;
    places -= 1;
  }
  return { units: shorter, scale: places };
}

function power(places: number): bigint {
  return 10n ** BigInt(places);
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function dividedRounding(value: bigint, by: bigint): bigint {
  const half = value < 0n ? -by / 2n : by / 2n;
  return (value + half) / by;
}
