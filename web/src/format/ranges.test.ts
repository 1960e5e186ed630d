import { describe, expect, test } from 'vitest';
import {
  boundsBefore,
  boundsOf,
  customRange,
  daysIn,
  daysRange,
  exactRange,
  intervalsOf,
  isRange,
  type Range,
} from './ranges';

const NOW = Date.parse('2026-11-21T23:40:00Z');

describe('boundsOf', () => {
  test.each<[Range, string, string, string]>([
    ['24h', 'UTC', '2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    ['7d', 'UTC', '2026-11-15T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    // It is the 22nd already in Tokyo, and still the 21st in Los Angeles.
    ['7d', 'Asia/Tokyo', '2026-11-15T15:00:00.000Z', '2026-11-22T15:00:00.000Z'],
    ['7d', 'America/Los_Angeles', '2026-11-15T08:00:00.000Z', '2026-11-22T08:00:00.000Z'],
    ['month', 'UTC', '2026-11-01T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    ['year', 'UTC', '2026-01-01T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    ['12m', 'UTC', '2025-12-01T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    // Summer time ends in between: the bounds are midnights all the same.
    ['30d', 'Europe/Berlin', '2026-10-23T22:00:00.000Z', '2026-11-22T23:00:00.000Z'],
    [
      '2026-10-25..2026-10-25',
      'Europe/Berlin',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ],
  ])('%s in %s', (range, zone, start, end) => {
    expect(boundsOf(range, zone, NOW)).toEqual({ start, end });
  });

  test('of days in an address may leave one out', () => {
    expect(daysRange('', '')).toBeNull();
    expect(daysRange('2026-11-02', '2026-11-01')).toBeNull();
    expect(daysRange('soon', '')).toBeNull();
    const since = daysRange('2026-11-02', '');
    const until = daysRange('', '2026-11-02');
    expect(since && boundsOf(since, 'Asia/Tokyo', NOW).start).toBe('2026-11-01T15:00:00.000Z');
    expect(until && boundsOf(until, 'Asia/Tokyo', NOW).end).toBe('2026-11-02T15:00:00.000Z');
  });

  test('has a first and a last day', () => {
    const bounds = { start: '2026-10-31T15:00:00Z', end: '2026-11-21T15:00:00Z' };
    expect(daysIn(bounds, 'Asia/Tokyo')).toEqual(['2026-11-01', '2026-11-21']);
    expect(daysIn(bounds, 'UTC')).toEqual(['2026-10-31', '2026-11-21']);
  });

  test('of instants is exact, also in an address', () => {
    const period = { start: '2026-10-21T14:03:00.123456Z', end: '2026-11-21T14:03:00.123456Z' };
    const range = exactRange(period.start, period.end);
    expect(isRange(range)).toBe(true);
    expect(boundsOf(range, 'Asia/Tokyo', NOW)).toEqual(period);
    expect(boundsBefore(range, 'Asia/Tokyo', NOW)).toEqual({
      start: '2026-09-20T14:03:00.123Z',
      end: period.start,
    });
    expect(isRange(exactRange(period.end, period.start))).toBe(false);
    expect(isRange(`${range}..${period.end}`)).toBe(false);
  });

  test('is the same question within an hour', () => {
    const later = NOW + 19 * 60_000;
    expect(boundsOf('24h', 'UTC', later)).toEqual(boundsOf('24h', 'UTC', NOW));
  });
});

describe('boundsBefore', () => {
  test.each<[Range, string, string]>([
    ['24h', '2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
    ['7d', '2026-11-08T00:00:00.000Z', '2026-11-15T00:00:00.000Z'],
    ['month', '2026-10-01T00:00:00.000Z', '2026-10-22T00:00:00.000Z'],
    ['year', '2025-01-01T00:00:00.000Z', '2025-11-22T00:00:00.000Z'],
    ['12m', '2024-12-01T00:00:00.000Z', '2025-11-22T00:00:00.000Z'],
    ['2026-10-01..2026-10-31', '2026-08-31T00:00:00.000Z', '2026-10-01T00:00:00.000Z'],
  ])('of %s', (range, start, end) => {
    expect(boundsBefore(range, 'UTC', NOW)).toEqual({ start, end });
  });

  test('a month that is shorter ends where the next one begins', () => {
    const now = Date.parse('2026-03-31T12:00:00Z');
    expect(boundsBefore('month', 'UTC', now)).toEqual({
      start: '2026-02-01T00:00:00.000Z',
      end: '2026-03-01T00:00:00.000Z',
    });
  });
});

test('only days that exist make a range', () => {
  expect(isRange('2026-02-28..2026-03-01')).toBe(true);
  const wrong = [
    '',
    '2026-02-30..2026-03-01',
    '2026-03-02..2026-03-01',
    '2026-01-01',
    'ever',
    'a..b',
  ];
  expect(wrong.filter(isRange)).toEqual([]);
  expect(customRange({ year: 2026, month: 1, day: 2 }, { year: 2026, month: 12, day: 31 })).toBe(
    '2026-01-02..2026-12-31',
  );
});

test.each<[Range, string]>([
  ['24h', 'HOUR'],
  ['7d', 'DAY'],
  ['90d', 'DAY'],
  ['year', 'MONTH'],
  ['2015-01-01..2026-12-31', 'MONTH'],
])('%s is best shown by %s', (range, interval) => {
  expect(intervalsOf(boundsOf(range, 'UTC', NOW))[0]).toBe(interval);
});
