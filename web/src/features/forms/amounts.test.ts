import { expect, test } from 'vitest';
import { readDecimal, toMinor, toWholeMinor } from './amounts';

test.each([
  ['1,234.5', '1234.5'],
  [' 12.50 ', '12.5'],
  ['.5', '0.5'],
  ['7.', '7'],
  ['−3', '-3'],
  ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
])('%s is read as %s', (text, value) => {
  expect(readDecimal(text)).toBe(value);
});

test.each(['', 'abc', '1,5', '1e3', '1.2.3', '-', '.', 'NaN'])('%s is no number', (text) => {
  expect(readDecimal(text)).toBeNull();
});

test('a price of a unit keeps all its decimals in minor units', () => {
  expect(toMinor('0.000004', 'USD')).toBe('0.0004');
  expect(toMinor('0.5', 'JPY')).toBe('0.5');
  expect(toMinor('1.2345', 'KWD')).toBe('1234.5');
});

test('an amount that is charged is whole minor units', () => {
  expect(toWholeMinor('12.50', 'USD')).toEqual({ amount: 1250 });
  expect(toWholeMinor('12', 'JPY')).toEqual({ amount: 12 });
});

test('an amount with too many decimals, or digits, says so', () => {
  expect(toWholeMinor('12.505', 'USD')).toEqual({
    problem: 'USD has 2 decimals; this amount has more.',
  });
  expect(toWholeMinor('1.5', 'JPY')).toEqual({ problem: 'JPY has no decimals.' });
  expect(toWholeMinor('90071992547409.92', 'USD')).toEqual({
    problem: 'This amount is too large.',
  });
  expect(toWholeMinor('x', 'USD')).toEqual({ problem: 'Enter a number, such as 12.50.' });
});
