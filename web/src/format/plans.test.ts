import { expect, test } from 'vitest';
import { planName } from './plans';

test('a plan says how many of it there are, if there are several', () => {
  expect(planName('Scale', 1)).toBe('Scale');
  expect(planName('Scale', 12_000)).toBe('Scale × 12,000');
});
