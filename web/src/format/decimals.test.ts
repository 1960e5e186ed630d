import { describe, expect, test } from 'vitest';
import {
  add,
  compare,
  formatChange,
  formatCompact,
  formatDecimal,
  formatFitting,
  fromDrawing,
  percent,
  share,
  shift,
  sign,
  subtract,
  sum,
} from './decimals';

const FORTY = '1234567890123456789012345678901234567891';

describe('formatDecimal', () => {
  test.each([
    ['0', '0'],
    ['-0.5', '−0.5'],
    ['1234567.000001', '1,234,567.000001'],
    ['0.000000000001', '0.000000000001'],
    ['9007199254740993', '9,007,199,254,740,993'],
    [FORTY, '1,234,567,890,123,456,789,012,345,678,901,234,567,891'],
    [
      `-${FORTY}.000000000001`,
      '−1,234,567,890,123,456,789,012,345,678,901,234,567,891.000000000001',
    ],
  ])('%s keeps every digit', (value, text) => {
    expect(formatDecimal(value)).toBe(text);
  });
});

describe('formatCompact', () => {
  test.each([
    ['0', '0'],
    ['999', '999'],
    ['1234567', '1.235M'],
    ['-1234567', '−1.235M'],
    ['0.00012345', '0.0001235'],
    ['999999999999999', '1000T'],
    [FORTY, '1.23 × 10³⁹'],
  ])('%s is %s', (value, text) => {
    expect(formatCompact(value)).toBe(text);
  });
});

describe('formatFitting', () => {
  test.each([
    ['1204', '1,204'],
    ['0.000000000001', '0.000000000001'],
    ['4434424.000000000001', '4,434,424'],
    ['-4434424.129000000001', '−4,434,424.13'],
    ['0.12345678901234567890', '0.123457'],
    ['1234.567891', '1,234.567891'],
    ['1234.567890123', '1,234.57'],
    ['-12.345678901', '−12.3457'],
    ['0.000001234', '0.000001234'],
    [FORTY, '1.23 × 10³⁹'],
  ])('%s is %s', (value, text) => {
    expect(formatFitting(value)).toBe(text);
  });
});

describe('arithmetic', () => {
  test('is exact where floats are not', () => {
    expect(add('0.1', '0.2')).toBe('0.3');
    expect(subtract('9007199254740993', '1')).toBe('9007199254740992');
    expect(sum(['1.5', '-1.5', FORTY])).toBe(FORTY);
    expect(sum([])).toBe('0');
  });

  test('prints without trailing zeros, and no minus at zero', () => {
    expect(add('1.50', '0.50')).toBe('2');
    expect(subtract('0.10', '0.1')).toBe('0');
  });

  test('compares by value', () => {
    expect(compare('1.0', '1')).toBe(0);
    expect(compare('-2', '1')).toBe(-1);
    expect(compare(FORTY, '9')).toBe(1);
    expect([sign('-0.0'), sign('-0.1'), sign('3')]).toEqual([0, -1, 1]);
  });

  test('moves the point both ways', () => {
    expect(shift('1234', 2)).toBe('12.34');
    expect(shift('-5', 2)).toBe('-0.05');
    expect(shift('1.5', -3)).toBe('1500');
  });

  test.each(['', '-', '.', 'NaN', '1e5', '1,000', '0x10'])('refuses %j', (text) => {
    expect(() => add(text, '0')).toThrow(RangeError);
  });
});

describe('formatChange', () => {
  test.each([
    ['100', '112.5', '+12.5%'],
    ['100', '50', '−50%'],
    ['-100', '-50', '+50%'],
    ['3', '4', '+33.3%'],
    ['1000000', '1000001', '0%'],
    ['1', FORTY, '+123,456,789,012,345,678,901,234,567,890,123,456,789,000%'],
  ])('from %s to %s', (before, after, text) => {
    expect(formatChange(before, after)).toBe(text);
  });

  test('says nothing of what was nothing before', () => {
    expect(formatChange('0', '5')).toBeNull();
  });
});

test('a share is between nothing and the whole', () => {
  expect(share('1', '4')).toBe(0.25);
  expect(share('5', '4')).toBe(1);
  expect(share('-1', '4')).toBe(0);
  expect(share('1', '0')).toBe(0);
  expect(share(FORTY, `${FORTY}0`)).toBeCloseTo(0.1, 5);
});

test.each([
  [0, '0'],
  [0.30000000000000004, '0.3'],
  [250, '250'],
  [-2.5, '-2.5'],
  [1e39, `1${'0'.repeat(39)}`],
  [2e-12, '0.000000000002'],
])('a tick at %d stands for %s', (drawn, text) => {
  expect(fromDrawing(drawn)).toBe(text);
});

test.each([
  ['1', '8', '12.5%'],
  ['1', '3', '33.3%'],
  ['0', '3', '0%'],
  ['3', '3', '100%'],
  ['-1', '4', '−25%'],
  ['1', '-4', '−25%'],
  ['0.00001', '3', '< 0.1%'],
  [FORTY, FORTY, '100%'],
  ['1', '0', '–'],
])('%s of %s is %s', (part, whole, expected) => {
  expect(percent(part, whole)).toBe(expected);
});
