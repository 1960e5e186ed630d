import { expect, test } from 'vitest';
import { formatDiscount } from './discounts';

test.each([
  [{ percentOff: '12.5' }, '12.5% off'],
  [{ amountOff: 1000, periodsLeft: 1 }, '$10.00 off each period, for the current period'],
  [{ percentOff: '20', periodsLeft: 3 }, '20% off, for 3 periods with the current one'],
])('%j', (discount, text) => {
  expect(formatDiscount(discount, 'USD')).toBe(text);
});
