import { expect, test } from 'vitest';
import { instantAt, shownAt } from './instants';

test('a time is what clocks in the zone show', () => {
  expect(instantAt('2026-07-01T12:30', 'UTC')).toBe('2026-07-01T12:30:00.000Z');
  expect(instantAt('2026-07-01T12:30', 'America/New_York')).toBe('2026-07-01T16:30:00.000Z');
  expect(instantAt('2026-07-01T12:30:15', 'Asia/Kathmandu')).toBe('2026-07-01T06:45:15.000Z');
});

test('a time that comes twice is the first', () => {
  expect(instantAt('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
});

test('a time that clocks skip is none', () => {
  expect(instantAt('2026-03-29T02:30', 'Europe/Berlin')).toBeNull();
  expect(instantAt('soon', 'UTC')).toBeNull();
});

test('an instant is shown as an input takes it', () => {
  const at = Date.parse('2026-07-01T23:05:59Z');
  expect(shownAt(at, 'UTC')).toBe('2026-07-01T23:05');
  expect(shownAt(at, 'Asia/Tokyo')).toBe('2026-07-02T08:05');
});
