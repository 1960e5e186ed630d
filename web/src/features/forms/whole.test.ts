import { expect, test } from 'vitest';
import { readWhole, wholeInput } from './whole';

test.each([
  ['14', 14],
  [' 1,000 ', 1000],
  ['0', 0],
  ['007', 7],
])('%s is read as %d', (text, value) => {
  expect(readWhole(text)).toBe(value);
});

test.each(['', '1.5', '-3', '1e3', '1234567890', 'many'])('%s is no whole number', (text) => {
  expect(readWhole(text)).toBeNull();
});

test('an empty field is null, and what is no whole number is refused', () => {
  const refused: string[][] = [];
  const refuse = (...why: string[]) => refused.push(why);
  expect(wholeInput(' ', 'quantity', refuse)).toBeNull();
  expect(wholeInput('3', 'quantity', refuse)).toBe(3);
  expect(refused).toEqual([]);
  expect(wholeInput('x', 'quantity', refuse)).toBeNull();
  expect(refused).toEqual([['quantity', 'Enter a whole number, such as 14.']]);
});
