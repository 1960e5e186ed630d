import { expect, test } from 'vitest';
import { countOf, each, every, usageOf, within } from './recurrence';

test('a period is said in words', () => {
  const monthly = { recurringInterval: 'MONTH', intervalCount: 1 } as const;
  const quarterly = { recurringInterval: 'MONTH', intervalCount: 3 } as const;
  expect([every(monthly), each(monthly), within(monthly)]).toEqual([
    'every month',
    'a month',
    'in a month',
  ]);
  expect([every(quarterly), each(quarterly), within(quarterly)]).toEqual([
    'every 3 months',
    'every 3 months',
    'in 3 months',
  ]);
});

test('usage is billed by its own interval', () => {
  const yearly = { recurringInterval: 'YEAR', intervalCount: 1 } as const;
  expect(every(usageOf({ ...yearly, usageInterval: 'MONTH', usageIntervalCount: 1 }))).toBe(
    'every month',
  );
});

test.each([
  ['1', 1],
  ['12', 12],
  ['', 1],
  ['0', 1],
  ['-3', 1],
  ['1.5', 1],
  ['x', 1],
])('%j intervals are %i', (text, count) => {
  expect(countOf(text)).toBe(count);
});
