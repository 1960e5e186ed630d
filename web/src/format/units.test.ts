import { expect, test } from 'vitest';
import { plural, unitAfter } from './units';

test.each([
  ['token', 'tokens'],
  ['query', 'queries'],
  ['day', 'days'],
  ['batch', 'batches'],
  ['box', 'boxes'],
  ['API call', 'API calls'],
  ['GPU hour', 'GPU hours'],
  ['byte-hour', 'byte-hours'],
])('%s: %s', (unit, many) => {
  expect(plural(unit)).toBe(many);
});

test.each([
  'GB',
  'ms',
  'kWh',
  'kwh',
  'min',
  'requests',
  'data',
  'Anfrage',
  'requête',
  '件',
  '',
  's',
])('%s has no plural that we know', (unit) => {
  expect(plural(unit)).toBe(unit);
});

test.each([
  ['1', 'token'],
  ['-1', 'token'],
  ['1.00', 'token'],
  ['0', 'tokens'],
  ['0.5', 'tokens'],
  ['2', 'tokens'],
  ['12345678901234567890123456789012345678', 'tokens'],
])('%s %s', (value, name) => {
  expect(unitAfter(value, 'token')).toBe(name);
});
