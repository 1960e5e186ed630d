import { expect, test } from 'vitest';
import { placed, unreadable } from './failures';

const FIELDS = ['name', 'prices.0.metered.tiers', 'prices.0.metered.tiers.1.upTo'];
const has = (field: string) => FIELDS.includes(field);
const error = (path: string[], message = 'Wrong.', code = 'INVALID') => ({ code, message, path });

test('an error is shown at the input that its path names', () => {
  expect(placed([error(['prices', '0', 'metered', 'tiers', '1', 'upTo'])], has)).toEqual([
    { field: 'prices.0.metered.tiers.1.upTo', message: 'Wrong.' },
  ]);
});

test('without such an input, it is shown at the closest one around it', () => {
  expect(placed([error(['prices', '0', 'metered', 'tiers', '7', 'upTo'])], has)).toEqual([
    { field: 'prices.0.metered.tiers', message: 'Wrong.' },
  ]);
});

test('without any, it belongs to the form', () => {
  expect(placed([error(['benefitIds', '0']), error([])], has)).toEqual([
    { field: null, message: 'Wrong.' },
    { field: null, message: 'Wrong.' },
  ]);
});

test('an input shows its first error only', () => {
  expect(placed([error(['name'], 'First.'), error(['name'], 'Second.')], has)).toEqual([
    { field: 'name', message: 'First.' },
  ]);
});

test('a key that was used for something else says that an earlier try was carried out', () => {
  const [found] = placed([error(['idempotencyKey'], 'Used before.', 'CONFLICT')], has);
  expect(found?.field).toBeNull();
  expect(found?.message).toContain('An earlier try was carried out');
});

test('a value that a scalar cannot read is placed by the path in the message', () => {
  const message =
    "Variable '$input' has invalid value at .prices[0].metered.tiers[1].upTo: Decimal must be text: 'x'";
  expect(unreadable(message)).toEqual({
    code: 'INVALID',
    message: "Decimal must be text: 'x'",
    path: ['prices', '0', 'metered', 'tiers', '1', 'upTo'],
  });
  expect(unreadable('Something else.')).toBeNull();
});
