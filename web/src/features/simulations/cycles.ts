/** Cycles of a simulation: days in UTC, as inputs of dates have them, and the instants of a range. */
import type { RecurringInterval } from '../../api/generated/graphql';

const DAY = 86_400_000;

/** 2026-10-01 */
const printed = (instant: number): string => new Date(instant).toISOString().slice(0, 10);

/** The first day of the last interval of the calendar that is over; weeks begin on Monday. */
export function lastCycle(interval: RecurringInterval, now: number): string {
  const at = new Date(now);
  const today = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
  switch (interval) {
    case 'DAY':
      return printed(today - DAY);
    case 'WEEK':
      return printed(today - (((at.getUTCDay() + 6) % 7) + 7) * DAY);
    case 'MONTH':
      return printed(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - 1, 1));
    case 'YEAR':
      return printed(Date.UTC(at.getUTCFullYear() - 1, 0, 1));
  }
}

/** The range of so many cycles from a day on; null if it is no day. */
export function rangeOf(
  day: string,
  cycles: number,
  interval: RecurringInterval,
): { start: string; end: string } | null {
  const start = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(start)) {
    return null;
  }
  return {
    start: new Date(start).toISOString(),
    end: new Date(after(start, cycles, interval)).toISOString(),
  };
}

function after(start: number, cycles: number, interval: RecurringInterval): number {
  if (interval === 'DAY' || interval === 'WEEK') {
    return start + cycles * (interval === 'DAY' ? 1 : 7) * DAY;
  }
  const at = new Date(start);
  const months = at.getUTCMonth() + cycles * (interval === 'MONTH' ? 1 : 12);
  // A day that the month lacks becomes its last day.
  const last = new Date(Date.UTC(at.getUTCFullYear(), months + 1, 0)).getUTCDate();
  return Date.UTC(at.getUTCFullYear(), months, Math.min(at.getUTCDate(), last));
}
