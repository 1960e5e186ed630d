/** Whole numbers as people write them. */
import { readDecimal } from './amounts';
import type { Refuse } from './useSubmission';

/** A whole number of up to nine digits; null for anything else. */
export function readWhole(text: string): number | null {
  const written = readDecimal(text);
  return written !== null && /^\d{1,9}$/.test(written) ? Number(written) : null;
}

/** What a field has for the API: a whole number, or null if nothing is entered. */
export function wholeInput(text: string, field: string, refuse: Refuse): number | null {
  const number = readWhole(text);
  if (number === null && text.trim() !== '') {
    refuse(field, 'Enter a whole number, such as 14.');
  }
  return number;
}
