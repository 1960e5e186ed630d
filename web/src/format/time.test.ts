import { describe, expect, test } from 'vitest';
import {
  formatDate,
  formatExactInstant,
  formatInstant,
  formatMoment,
  formatPeriod,
  formatPoint,
  formatRelative,
  formatTick,
} from './time';
import { allZones, dayHours, isZone, localTime, offsetAt, startOfDay } from './zones';

describe('zones', () => {
  test.each([
    ['UTC', '2026-11-21T12:00:00Z', 0],
    ['America/Los_Angeles', '2026-07-01T00:00:00Z', -7],
    ['Asia/Kathmandu', '2026-07-01T00:00:00Z', 5.75],
    ['Pacific/Kiritimati', '2026-07-01T00:00:00Z', 14],
    ['Australia/Lord_Howe', '2026-07-01T00:00:00Z', 10.5],
  ])('%s is ahead at %s by %d hours', (zone, instant, hours) => {
    expect(offsetAt(Date.parse(instant), zone)).toBe(hours * 3_600_000);
  });

  test.each([
    ['Europe/Berlin', { year: 2026, month: 3, day: 29 }, '2026-03-28T23:00:00.000Z', 23],
    ['Europe/Berlin', { year: 2026, month: 10, day: 25 }, '2026-10-24T22:00:00.000Z', 25],
    ['America/New_York', { year: 2026, month: 3, day: 8 }, '2026-03-08T05:00:00.000Z', 23],
    ['Asia/Kathmandu', { year: 2026, month: 1, day: 1 }, '2025-12-31T18:15:00.000Z', 24],
    // Clocks go from 24:00 to 01:00: the day has no midnight.
    ['Africa/Cairo', { year: 2026, month: 4, day: 24 }, '2026-04-23T22:00:00.000Z', 23],
    // Clocks go back at midnight, so 23:00 to 24:00 of the day before comes twice.
    ['America/Havana', { year: 2026, month: 11, day: 1 }, '2026-11-01T04:00:00.000Z', 25],
    ['Australia/Lord_Howe', { year: 2026, month: 4, day: 5 }, '2026-04-04T13:00:00.000Z', 24.5],
  ])('in %s, %o begins at %s and has %d hours', (zone, date, instant, hours) => {
    const start = startOfDay(date, zone);
    expect(new Date(start).toISOString()).toBe(instant);
    expect(dayHours(start, zone)).toBe(hours);
    expect(localTime(start, zone)).toMatchObject(date);
  });

  test('are known by name only', () => {
    expect(['UTC', 'Europe/Paris'].every(isZone)).toBe(true);
    expect(['', '+01:00', 'Mars/Olympus', '../etc'].some(isZone)).toBe(false);
    expect(allZones()[0]).toBe('UTC');
    expect(new Set(allZones()).size).toBe(allZones().length);
  });
});

describe('instants', () => {
  test('are shown in the zone', () => {
    const instant = '2026-11-21T23:30:00.123456+00:00';
    expect(formatInstant(instant, 'UTC')).toBe('Nov 21, 2026, 23:30');
    expect(formatInstant(instant, 'Asia/Tokyo')).toBe('Nov 22, 2026, 08:30');
    expect(formatDate(instant, 'America/Los_Angeles')).toBe('Nov 21, 2026');
    expect(formatExactInstant(instant, 'Asia/Kolkata')).toBe('Nov 22, 2026, 05:00:00 UTC+5:30');
  });

  test('say their offset where an hour comes twice', () => {
    expect(formatInstant('2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe(
      'Oct 25, 2026, 02:30 UTC+2',
    );
    expect(formatInstant('2026-10-25T01:30:00Z', 'Europe/Berlin')).toBe(
      'Oct 25, 2026, 02:30 UTC+1',
    );
  });

  test('say the second of what happens now', () => {
    expect(formatMoment('2026-11-21T19:43:05.9Z', 'Europe/Berlin')).toBe('Nov 21, 20:43:05');
  });

  test('midnight is 00:00', () => {
    expect(formatInstant('2026-11-21T00:00:00Z', 'UTC')).toBe('Nov 21, 2026, 00:00');
  });

  test.each([
    ['2026-11-21T12:00:00Z', 'just now'],
    ['2026-11-21T11:57:00Z', '3 minutes ago'],
    ['2026-11-20T11:00:00Z', 'yesterday'],
    ['2026-11-26T13:00:00Z', 'in 5 days'],
    ['2024-11-01T00:00:00Z', '2 years ago'],
  ])('%s is %s', (instant, text) => {
    expect(formatRelative(instant, Date.parse('2026-11-21T12:00:00Z'))).toBe(text);
  });
});

describe('points of a series', () => {
  test('name the hours, and the offset when clocks change', () => {
    expect(
      formatPoint('2026-11-21T10:00:00Z', '2026-11-21T11:00:00Z', 'HOUR', 'Europe/Berlin'),
    ).toBe('Sat, Nov 21, 11:00 – 12:00');
    expect(
      formatPoint('2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z', 'HOUR', 'Europe/Berlin'),
    ).toBe('Sun, Oct 25, 02:00 – 03:00 UTC+1');
  });

  test('name long and short days', () => {
    expect(
      formatPoint('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'DAY', 'Europe/Berlin'),
    ).toBe('Sun, Mar 29, 2026 (23 hours)');
    expect(formatPoint('2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z', 'DAY', 'UTC')).toBe(
      'Sat, Nov 21, 2026',
    );
  });

  test('weeks, months and years', () => {
    const [start, end] = ['2026-11-02T00:00:00Z', '2026-11-09T00:00:00Z'];
    expect(formatPoint(start, end, 'WEEK', 'UTC')).toBe('Nov 2 – Nov 8, 2026');
    expect(formatPoint(start, end, 'MONTH', 'UTC')).toBe('November 2026');
    expect(formatTick('2026-11-21T00:00:00Z', 'HOUR', 'UTC')).toBe('Nov 21');
    expect(formatTick('2026-11-21T07:00:00Z', 'HOUR', 'UTC')).toBe('07:00');
  });

  test('a period ends on its last day', () => {
    expect(formatPeriod('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z', 'UTC')).toBe(
      'Nov 1 – Nov 30, 2026',
    );
    expect(formatPeriod('2026-12-15T00:00:00Z', '2027-01-15T00:00:00Z', 'UTC')).toBe(
      'Dec 15, 2026 – Jan 14, 2027',
    );
    expect(formatPeriod('2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z', 'UTC')).toBe('Nov 1, 2026');
  });
});
