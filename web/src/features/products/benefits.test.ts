import { expect, test } from 'vitest';
import { unusedUnits } from './benefits';

test.each([
  ['expire with the period', false, null, null],
  ['expire after 1 day', false, null, 1],
  ['carry over', true, null, null],
  ['carry over, up to 1,500.5', true, '1500.5', null],
  ['carry over, up to 500, expire after 90 days', true, '500', 90],
])('unused units %s', (text, rollover, rolloverLimit, expiresAfterDays) => {
  expect(unusedUnits({ rollover, rolloverLimit, expiresAfterDays })).toBe(text);
});
