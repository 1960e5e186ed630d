/** Instants for people, in a zone of their choice. */
import { LOCALE } from './locale';
import { dayHours, formatOffset, offsetAt } from './zones';

export type Instant = string;
export type Interval = 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';

const formatters = new Map<string, Intl.DateTimeFormat>();

function text(instant: number, zone: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone} ${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hourCycle: 'h23', ...options });
    formatters.set(key, formatter);
  }
  return formatter.format(instant);
}

const DATE = { year: 'numeric', month: 'short', day: 'numeric' } as const;
const TIME = { hour: '2-digit', minute: '2-digit' } as const;

/** Nov 21, 2026 */
export function formatDate(instant: Instant, zone: string): string {
  return text(Date.parse(instant), zone, DATE);
}

/** Nov 21, 2026, 19:43; with the offset on days of 23 and 25 hours, where an hour may come twice. */
export function formatInstant(instant: Instant, zone: string): string {
  const at = Date.parse(instant);
  return text(at, zone, { ...DATE, ...TIME }) + offsetWhereUnclear(at, zone);
}

/** Nov 21, 2026, 19:43:05 UTC+1: all there is to say. */
export function formatExactInstant(instant: Instant, zone: string): string {
  const at = Date.parse(instant);
  const seconds = text(at, zone, { ...DATE, ...TIME, second: '2-digit' });
  return `${seconds} ${formatOffset(offsetAt(at, zone))}`;
}

/** Nov 21, 19:43:05, for what is happening now. */
export function formatMoment(instant: Instant, zone: string): string {
  const at = Date.parse(instant);
  const moment = { month: 'short', day: 'numeric', ...TIME, second: '2-digit' } as const;
  return text(at, zone, moment) + offsetWhereUnclear(at, zone);
}

/** What a period from `start` up to, and without, `end` is called: Nov 1 – Nov 30, 2026. */
export function formatPeriod(start: Instant, end: Instant, zone: string): string {
  const from = Date.parse(start);
  const last = Date.parse(end) - 1;
  const sameYear = text(from, zone, { year: 'numeric' }) === text(last, zone, { year: 'numeric' });
  const first = text(from, zone, sameYear ? { month: 'short', day: 'numeric' } : DATE);
  const until = text(last, zone, DATE);
  return text(from, zone, DATE) === until ? until : `${first} – ${until}`;
}

/** The name of a point of a series: Nov 21, 2026, 19:00 – 20:00. */
export function formatPoint(
  start: Instant,
  end: Instant,
  interval: Interval,
  zone: string,
): string {
  const from = Date.parse(start);
  const until = Date.parse(end);
  if (interval === 'HOUR') {
    const day = text(from, zone, { weekday: 'short', month: 'short', day: 'numeric' });
    const hours = `${text(from, zone, TIME)} – ${text(until, zone, TIME)}`;
    return `${day}, ${hours}${offsetWhereUnclear(from, zone)}`;
  }
  if (interval === 'DAY') {
    const name = text(from, zone, { weekday: 'short', ...DATE });
    const hours = dayHours(from, zone);
    return hours === 24 ? name : `${name} (${hours} hours)`;
  }
  if (interval === 'MONTH') {
    return text(from, zone, { month: 'long', year: 'numeric' });
  }
  if (interval === 'YEAR') {
    return text(from, zone, { year: 'numeric' });
  }
  return formatPeriod(start, end, zone);
}

/** The same in a few characters, for an axis: Nov 21; 19:00; Nov; 2026. */
export function formatTick(start: Instant, interval: Interval, zone: string): string {
  const at = Date.parse(start);
  switch (interval) {
    case 'HOUR':
      return text(at, zone, TIME) === '00:00'
        ? text(at, zone, { month: 'short', day: 'numeric' })
        : text(at, zone, TIME);
    case 'DAY':
    case 'WEEK':
      return text(at, zone, { month: 'short', day: 'numeric' });
    case 'MONTH':
      return text(at, zone, { month: 'short', year: '2-digit' });
    case 'YEAR':
      return text(at, zone, { year: 'numeric' });
  }
}

const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });
const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** 3 minutes ago; in 5 days; just now. */
export function formatRelative(instant: Instant, now: number): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  if (Math.abs(seconds) < 5) {
    return 'just now';
  }
  const [unit, size] = STEPS.find(([, least]) => Math.abs(seconds) >= least) ?? ['second', 1];
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

function offsetWhereUnclear(at: number, zone: string): string {
  return dayHours(at, zone) === 24 ? '' : ` ${formatOffset(offsetAt(at, zone))}`;
}
