import { afterEach, expect, test, vi } from 'vitest';
import { learnTime, serverNow } from './clock';

afterEach(() => {
  vi.useRealTimers();
});

test('the server’s clock counts, where this one is off', () => {
  vi.useFakeTimers({ now: Date.parse('2020-01-01T00:00:00Z') });
  learnTime('Sat, 21 Nov 2026 12:00:00 GMT', Date.now() - 200, Date.now());
  expect(new Date(serverNow()).toISOString().slice(0, 19)).toBe('2026-11-21T12:00:00');
  learnTime(null, Date.now(), Date.now());
  learnTime('nonsense', Date.now(), Date.now());
  expect(new Date(serverNow()).getUTCFullYear()).toBe(2026);
});

test('a second of rounding does not', () => {
  vi.useFakeTimers({ now: Date.parse('2026-11-21T12:00:00.900Z') });
  learnTime('Sat, 21 Nov 2026 12:00:00 GMT', Date.now(), Date.now());
  expect(serverNow()).toBe(Date.now());
});
