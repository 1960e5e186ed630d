/** How often a product is billed, in words. */
import type { RecurringInterval } from '../../api/generated/graphql';
import type { Option } from '../../ui/Field';

export interface Recurrence {
  recurringInterval: RecurringInterval;
  intervalCount: number;
}

/** A product with the interval by which its usage is billed. */
export interface Billed extends Recurrence {
  usageInterval: RecurringInterval;
  usageIntervalCount: number;
}

/** How often usage is billed. */
export function usageOf({ usageInterval, usageIntervalCount }: Billed): Recurrence {
  return { recurringInterval: usageInterval, intervalCount: usageIntervalCount };
}

const NAMES: Record<RecurringInterval, string> = {
  DAY: 'day',
  WEEK: 'week',
  MONTH: 'month',
  YEAR: 'year',
};

/** Every month; every 3 months. */
export function every({ recurringInterval, intervalCount }: Recurrence): string {
  const name = NAMES[recurringInterval];
  return intervalCount === 1 ? `every ${name}` : `every ${intervalCount} ${name}s`;
}

/** A month; every 3 months. */
export function each(of: Recurrence): string {
  return of.intervalCount === 1 ? `a ${NAMES[of.recurringInterval]}` : every(of);
}

/** In a month; in 3 months. */
export function within(of: Recurrence): string {
  return `in ${each(of).replace(/^every /, '')}`;
}

/** What the field for the number of intervals says; what is no number counts as one. */
export function countOf(text: string): number {
  const count = Number(text);
  return Number.isInteger(count) && count > 0 ? count : 1;
}

export const INTERVALS: Option<RecurringInterval>[] = [
  { value: 'DAY', label: 'Days' },
  { value: 'WEEK', label: 'Weeks' },
  { value: 'MONTH', label: 'Months' },
  { value: 'YEAR', label: 'Years' },
];
