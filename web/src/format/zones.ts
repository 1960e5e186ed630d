/** IANA time zones: which there are, their offsets, and where their days begin. */

const HOUR = 3_600_000;

export interface LocalDate {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

interface LocalTime extends LocalDate {
  hour: number;
  minute: number;
  second: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** Whether this browser knows a zone of that name. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) {
    return false; // an offset such as +01:00 is no zone of the API
  }
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** All zones, UTC first. */
export function allZones(): string[] {
  const zones = Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC');
  return ['UTC', ...zones];
}

/** What clocks in the zone show. */
export function localTime(instant: number, zone: string): LocalTime {
  const parts: Record<string, string> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(instant)) {
    parts[type] = value;
  }
  const year = Number(parts.year);
  return {
    year: parts.era?.startsWith('B') ? 1 - year : year,
    month: Number(parts.month),
    day: Number(parts.day),
    hour: Number(parts.hour),
    minute: Number(parts.minute),
    second: Number(parts.second),
  };
}

/** How far clocks in the zone are ahead of UTC, in milliseconds. */
export function offsetAt(instant: number, zone: string): number {
  const { year, month, day, hour, minute, second } = localTime(instant, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

/** UTC+5:45; UTC alone where there is no offset. */
export function formatOffset(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  if (minutes === 0) {
    return 'UTC';
  }
  const rest = minutes % 60;
  const hours = `${Math.floor(minutes / 60)}${rest > 0 ? `:${String(rest).padStart(2, '0')}` : ''}`;
  return `UTC${offset < 0 ? '−' : '+'}${hours}`;
}

/** The day that an instant falls on. */
export function dateAt(instant: number, zone: string): LocalDate {
  const { year, month, day } = localTime(instant, zone);
  return { year, month, day };
}

/**
 * The first instant of a day.
 *
 * That is not always midnight: where clocks are put forward at midnight, the day begins at one.
 */
export function startOfDay({ year, month, day }: LocalDate, zone: string): number {
  const midnight = Date.UTC(year, month - 1, day);
  const before = offsetAt(midnight - 24 * HOUR, zone);
  const after = offsetAt(midnight + 24 * HOUR, zone);
  const candidates = [midnight - before, midnight - after].sort((a, b) => a - b);
  const found = candidates.find((instant) => instant + offsetAt(instant, zone) === midnight);
  return found ?? midnight - before;
}

/** The day some days later; months and years roll over. */
export function addDays({ year, month, day }: LocalDate, days: number): LocalDate {
  const moved = new Date(Date.UTC(year, month - 1, day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

/** How many days lie between two dates. */
export function daysBetween(first: LocalDate, second: LocalDate): number {
  const [a, b] = [first, second].map(({ year, month, day }) => Date.UTC(year, month - 1, day));
  return Math.round(((b ?? 0) - (a ?? 0)) / (24 * HOUR));
}

/** How long the day of an instant is, in hours: 24, or 23 or 25 where clocks are changed. */
export function dayHours(instant: number, zone: string): number {
  const date = dateAt(instant, zone);
  return (startOfDay(addDays(date, 1), zone) - startOfDay(date, zone)) / HOUR;
}
