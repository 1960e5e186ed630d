import { expect, test } from 'vitest';
import { lastCycle, rangeOf } from './cycles';

const NOW = Date.parse('2026-03-04T12:00:00Z'); // a Wednesday

test('the last cycle is the last whole interval of the calendar', () => {
  expect(lastCycle('DAY', NOW)).toBe('2026-03-03');
  expect(lastCycle('WEEK', NOW)).toBe('2026-02-23');
  expect(lastCycle('MONTH', NOW)).toBe('2026-02-01');
  expect(lastCycle('YEAR', NOW)).toBe('2025-01-01');
  expect(lastCycle('MONTH', Date.parse('2026-01-31T23:00:00Z'))).toBe('2025-12-01');
});

test('a range ends where the API ends its cycles', () => {
  const end = (...of: Parameters<typeof rangeOf>) => rangeOf(...of)?.end.slice(0, 10);
  expect(end('2026-02-01', 1, 'MONTH')).toBe('2026-03-01');
  expect(end('2026-01-31', 1, 'MONTH')).toBe('2026-02-28');
  expect(end('2026-01-31', 2, 'MONTH')).toBe('2026-03-31');
  expect(end('2024-02-29', 1, 'YEAR')).toBe('2025-02-28');
  expect(end('2026-02-23', 2, 'WEEK')).toBe('2026-03-09');
  expect(end('2026-02-28', 2, 'DAY')).toBe('2026-03-02');
  expect(rangeOf('', 1, 'MONTH')).toBeNull();
});
