/** Instants as people write them: what clocks show in a zone. */
import { localTime, offsetAt } from '../../format/zones';
import type { Refuse } from './useSubmission';

/** What an optional field has for the API: an instant, or null if nothing is entered. */
export function instantInput(
  text: string,
  zone: string,
  field: string,
  refuse: Refuse,
): string | null {
  const instant = instantAt(text, zone);
  if (instant === null && text !== '') {
    refuse(field, neverShown(zone));
  }
  return instant;
}

export function neverShown(zone: string): string {
  return `Clocks in ${zone} never show this time.`;
}

const WRITTEN = /^(\d{4,6})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/;
const HOUR = 3_600_000;

/**
 * The instant at which clocks in a zone show a time, as `<input type="datetime-local">` has it.
 *
 * Where they show it twice, it is the first; where they skip it, there is none.
 */
export function instantAt(text: string, zone: string): string | null {
  const found = WRITTEN.exec(text);
  if (found === null) {
    return null;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  const shown = Date.UTC(year, month - 1, day, hour, minute, second);
  const offsets = [shown - 26 * HOUR, shown + 26 * HOUR].map((near) => offsetAt(near, zone));
  const instant = offsets
    .map((offset) => shown - offset)
    .sort((a, b) => a - b)
    .find((candidate) => candidate + offsetAt(candidate, zone) === shown);
  return instant === undefined ? null : new Date(instant).toISOString();
}

/** What clocks in a zone show at an instant, to the minute. */
export function shownAt(instant: number, zone: string): string {
  const { year, month, day, hour, minute } = localTime(instant, zone);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}
