/** The names of units beside numbers. They are entered in the singular: 1 token, 2 tokens, 2 GB. */
import { compare, type Decimal } from './decimals';

/** Lower-case words that are no English nouns with a plural: abbreviations, and some like data. */
const INVARIABLE = new Set(
  'bps data gib gwh hertz kbps kib kwh mbps mib min mwh pib sec tib'.split(' '),
);

/** A word that has a plural; GB, ms, “requests” and names in other scripts stay as they are. */
const WORD = /^[a-z]{2,}[a-rt-z]$/;

/** The name of several units: tokens, API calls, GPU hours, queries. */
export function plural(unit: string): string {
  const last = /[^\s/-]*$/.exec(unit)?.[0] ?? '';
  return WORD.test(last) && !INVARIABLE.has(last)
    ? unit.slice(0, unit.length - last.length) + pluralOf(last)
    : unit;
}

/** The name of a unit after a number. */
export function unitAfter(value: Decimal, unit: string): string {
  return compare(value.replace(/^-/, ''), '1') === 0 ? unit : plural(unit);
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) {
    return `${word.slice(0, -1)}ies`;
  }
  return /(?:ch|sh|x|z)$/.test(word) ? `${word}es` : `${word}s`;
}
