import { expect, test } from 'vitest';
import { formatCompactMoney, formatMoney, formatUnitAmount } from './money';

test.each([
  [123456, 'USD', '$1,234.56'],
  [-5, 'USD', '−$0.05'],
  [0, 'EUR', '€0.00'],
  [1500, 'JPY', '¥1,500'],
  [1234, 'KWD', 'KWD 1.234'],
  // Price tags have no decimals in these; amounts that are billed do.
  [1234, 'IQD', 'IQD 1.234'],
  [1234, 'HUF', 'HUF 12.34'],
  [9007199254740991, 'USD', '$90,071,992,547,409.91'],
  [
    '1234567890123456789012345678901234567890',
    'USD',
    '$12,345,678,901,234,567,890,123,456,789,012,345,678.90',
  ],
  [-12n, 'USD', '−$0.12'],
])('%s of %s', (minor, currency, text) => {
  expect(formatMoney(minor, currency).replace(/\u00a0/g, ' ')).toBe(text);
});

test.each([
  ['0.0004', 'USD', '$0.000004'],
  ['40', 'USD', '$0.40'],
  ['0.000000000001', 'USD', '$0.00000000000001'],
  ['2.5', 'JPY', '¥2.5'],
])('a unit for %s minor units of %s', (amount, currency, text) => {
  expect(formatUnitAmount(amount, currency)).toBe(text);
});

test.each([
  ['0', 'USD', '$0'],
  ['1234.56', 'USD', '$1.235K'],
  ['-2500000', 'EUR', '−€2.5M'],
  ['0.5', 'USD', '$0.5'],
])('%s %s on an axis', (major, currency, text) => {
  expect(formatCompactMoney(major, currency)).toBe(text);
});
