import { expect, test } from 'vitest';
import { inexactNumber, jsonProblem } from './json';

test.each(['{}', ' { "a" : [1, -2.5e3, true, null, "x\\n\\u00e9"] } ', '"text"', '0', '[[],{}]'])(
  '%s is JSON',
  (text) => {
    expect(jsonProblem(text)).toBeNull();
    expect(() => JSON.parse(text)).not.toThrow();
  },
);

test.each([
  ['{"a": 1,}', 1, 9],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3],
  ['{"a": tru}', 1, 7],
  ["{'a': 1}", 1, 2],
  ['{"a": 01}', 1, 8],
  ['{"a": "x', 1, 7],
  ['', 1, 1],
  ['{} {}', 1, 4],
  ['[1 2]', 1, 4],
])('%j is wrong at line %i, column %i', (text, line, column) => {
  expect(jsonProblem(text)).toMatchObject({ line, column });
  expect(() => JSON.parse(text)).toThrow();
});

test.each(['{"a": 1.50, "b": -0.1, "c": 1e3}', '{"a": "12345678901234567890"}', '123456789012345'])(
  '%s is sent exactly',
  (text) => {
    expect(inexactNumber(text)).toBeNull();
  },
);

test.each(['12345678901234567890', '-0.12345678901234567', '1.2345678901234567e40'])(
  '%s would be changed',
  (number) => {
    expect(inexactNumber(`{"a": "\\"1", "b": [1, ${number}]}`)).toBe(number);
  },
);
