import { expect, test } from 'vitest';
import { computation, type Rate } from './computation';

const TIERS = [
  { upTo: '1000', unitAmount: '0', flatAmount: 500 },
  { upTo: '10000', unitAmount: '1.5', flatAmount: 0 },
  { unitAmount: '0.25', flatAmount: 0 },
];

function rate(rest: Partial<Rate> & Pick<Rate, 'pricing'>): Rate {
  return { currency: 'USD', ...rest };
}

test('nothing charged is not computed', () => {
  expect(computation(rate({ pricing: 'PER_UNIT', unitAmount: '1' }), '0')).toEqual([]);
  expect(computation(rate({ pricing: 'PER_UNIT', unitAmount: '1' }), '-3')).toEqual([]);
});

test('a price per unit, and its limit', () => {
  const price = rate({ pricing: 'PER_UNIT', unitAmount: '0.004', capAmount: 2000 });
  expect(computation(price, '1234567.5')).toEqual(['1,234,567.5 × $0.00004', 'At most $20.00']);
});

test('units with more decimals than one reads are rounded in the text', () => {
  const price = rate({ pricing: 'PER_UNIT', unitAmount: '3' });
  expect(computation(price, '1234.567890123')).toEqual(['1,234.57 × $0.03']);
});

test('a minimum is due without usage too, and so may be a flat amount', () => {
  const minimum = rate({ pricing: 'PER_UNIT', unitAmount: '1', minimumAmount: 500 });
  expect(computation(minimum, '0')).toEqual(['At least $5.00']);
  expect(computation(minimum, '3')).toEqual(['3 × $0.01', 'At least $5.00']);
  const flat = rate({ pricing: 'VOLUME', tiers: TIERS, billsFlatAmountAtZero: true });
  expect(computation(flat, '0')).toEqual(['$5.00']);
});

test('converted units are what has a price', () => {
  const price = rate({ pricing: 'PER_UNIT', unitAmount: '100', conversion: { divideBy: '3600' } });
  expect(computation(price, '5400', '2')).toEqual(['5,400 ÷ 3,600 → 2', '2 × $1.00']);
});

test('packages', () => {
  const price = rate({ pricing: 'PACKAGE', packageAmount: 40, packageSize: '100000' });
  expect(computation(price, '150000')).toEqual(['$0.40 for each 100,000 or part of them']);
});

test.each([
  ['1000', ['First 1,000 × $0.00 + $5.00']],
  ['1000.5', ['First 1,000 × $0.00 + $5.00', 'Next 0.5 × $0.015']],
  ['12000', ['First 1,000 × $0.00 + $5.00', 'Next 9,000 × $0.015', 'Next 2,000 × $0.0025']],
])('each tier prices the units in it: %s', (units, parts) => {
  expect(computation(rate({ pricing: 'GRADUATED', tiers: TIERS }), units)).toEqual(parts);
});

test.each([
  ['1000', ['1,000 × $0.00 + $5.00']],
  ['1001', ['1,001 × $0.015']],
  ['12000', ['12,000 × $0.0025']],
])('the tier reached prices all units: %s', (units, parts) => {
  expect(computation(rate({ pricing: 'VOLUME', tiers: TIERS }), units)).toEqual(parts);
});
