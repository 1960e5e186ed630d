/**
 * Ranges of time, as they stand in an address and as the API takes them.
 *
 * They begin and end with hours, days, months of the chosen zone, so that a view asked for twice in an
 * hour asks the same question.
 */
import type { Instant, Interval } from './time';
import { addDays, dateAt, daysBetween, type LocalDate, startOfDay } from './zones';

export type NamedRange = '24h' | '7d' | '30d' | '90d' | 'month' | 'year' | '12m';
/** A name; first and last day, 2026-10-01..2026-10-31; or instants, as `exactRange` writes them. */
export type Range = NamedRange | `${string}..${string}`;

export interface Bounds {
  start: Instant;
  end: Instant;
}

/** As the API writes one. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$/;

const HOUR = 3_600_000;
const DAYS: Record<'7d' | '30d' | '90d', number> = { '7d': 7, '30d': 30, '90d': 90 };

export const NAMED_RANGES: Record<NamedRange, string> = {
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  '90d': 'Last 90 days',
  month: 'This month',
  year: 'This year',
  '12m': 'Last 12 months',
};

export function isRange(text: string): text is Range {
  return text in NAMED_RANGES || parseDays(text) !== null || parseInstants(text) !== null;
}

/** From one instant up to another, as a billing period is; to the microsecond. */
export function exactRange(start: Instant, end: Instant): Range {
  return `${start}..${end}`;
}

export function customRange(first: LocalDate, last: LocalDate): Range {
  return `${printDate(first)}..${printDate(last)}`;
}

/** The first and the last day of what lies between two instants, as inputs of dates have them. */
export function daysIn({ start, end }: Bounds, zone: string): readonly [string, string] {
  return [printDate(dateAt(Date.parse(start), zone)), printDate(dateAt(Date.parse(end) - 1, zone))];
}

/** The first and the last day of a range that is not named. */
export function parseDays(text: string): { first: LocalDate; last: LocalDate } | null {
  const [from, to, ...more] = text.split('..').map(parseDate);
  if (!from || !to || more.length > 0 || daysBetween(from, to) < 0) {
    return null;
  }
  return { first: from, last: to };
}

/** The range of a list’s days; one that is left out is as far away as the other allows. */
export function daysRange(from: string, to: string): Range | null {
  const range: Range = `${from || '1000-01-01'}..${to || '9999-12-30'}`;
  return (from || to) && parseDays(range) ? range : null;
}

/** The bounds of a range of instants. */
function parseInstants(text: string): Bounds | null {
  const [start = '', end = '', ...more] = text.split('..');
  const areInstants = [start, end].every((each) => INSTANT.test(each));
  return areInstants && Date.parse(start) < Date.parse(end) && more.length === 0
    ? { start, end }
    : null;
}

/** Where a range begins and ends. */
export function boundsOf(range: Range, zone: string, now: number): Bounds {
  const exact = parseInstants(range);
  if (exact !== null) {
    return exact;
  }
  if (range === '24h') {
    const end = Math.floor(now / HOUR) * HOUR + HOUR;
    return bounds(end - 24 * HOUR, end);
  }
  const { first, last } = daysOf(range, zone, now);
  return bounds(startOfDay(first, zone), startOfDay(addDays(last, 1), zone));
}

/** The range of the same kind before, to compare with: the month before, or as many days. */
export function boundsBefore(range: Range, zone: string, now: number): Bounds {
  const exact = parseInstants(range);
  if (exact !== null) {
    const start = Date.parse(exact.start);
    return { ...bounds(2 * start - Date.parse(exact.end), start), end: exact.start };
  }
  if (range === '24h') {
    const { start } = boundsOf(range, zone, now);
    return bounds(Date.parse(start) - 24 * HOUR, Date.parse(start));
  }
  const { first, last } = daysOf(range, zone, now);
  const days = daysBetween(first, last) + 1;
  const begin = beforeBegin(range, first, days);
  // A shorter month ends where this one begins.
  const end = [addDays(begin, days), first].reduce((a, b) => (daysBetween(a, b) < 0 ? b : a));
  return bounds(startOfDay(begin, zone), startOfDay(end, zone));
}

/** The intervals that make sense of a range, the best first. */
export function intervalsOf({ start, end }: Bounds): Interval[] {
  const days = (Date.parse(end) - Date.parse(start)) / (24 * HOUR);
  if (days <= 2) {
    return ['HOUR', 'DAY'];
  }
  if (days <= 14) {
    return ['DAY', 'HOUR'];
  }
  if (days <= 100) {
    return ['DAY', 'WEEK', 'MONTH'];
  }
  if (days <= 800) {
    return ['MONTH', 'DAY', 'WEEK'];
  }
  return ['MONTH', 'YEAR', 'WEEK'];
}

function daysOf(range: Range, zone: string, now: number): { first: LocalDate; last: LocalDate } {
  const today = dateAt(now, zone);
  switch (range) {
    case '7d':
    case '30d':
    case '90d':
      return { first: addDays(today, 1 - DAYS[range]), last: today };
    case 'month':
      return { first: { ...today, day: 1 }, last: today };
    case 'year':
      return { first: { year: today.year, month: 1, day: 1 }, last: today };
    case '12m':
      return { first: elevenMonthsBefore(today), last: today };
    default:
      return parseDays(range) ?? daysOf('30d', zone, now);
  }
}

/** The first of the month, eleven months ago: with this one, there are twelve. */
function elevenMonthsBefore({ year, month }: LocalDate): LocalDate {
  return month === 12 ? { year, month: 1, day: 1 } : { year: year - 1, month: month + 1, day: 1 };
}

function beforeBegin(range: Range, first: LocalDate, days: number): LocalDate {
  if (range === 'month') {
    return { ...addDays(first, -1), day: 1 };
  }
  if (range === 'year' || range === '12m') {
    return { ...first, year: first.year - 1 };
  }
  return addDays(first, -days);
}

function bounds(start: number, end: number): Bounds {
  return { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
}

function parseDate(text: string): LocalDate | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (found === null) {
    return null;
  }
  const [year = 0, month = 0, day = 0] = found.slice(1).map(Number);
  const date = { year, month, day };
  // 2026-02-30 would roll over into March.
  return printDate(addDays(date, 0)) === text ? date : null;
}

function printDate({ year, month, day }: LocalDate): string {
  return [String(year).padStart(4, '0'), pad(month), pad(day)].join('-');
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
