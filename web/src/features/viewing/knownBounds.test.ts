import { describe, expect, test } from 'vitest';
import { knownBounds } from './knownBounds';

describe('knownBounds', () => {
  const stored = '2026-11-01T00:00:00Z';
  const known = (start: string, end: string, from: string | null = stored) =>
    Object.values(knownBounds({ start, end }, from));

  test('widens what is archived to whole hours, to the microsecond', () => {
    expect(known('2026-09-14T09:26:53.589793Z', '2026-10-14T09:00:00.000001Z')).toEqual([
      '2026-09-14T09:00:00.000Z',
      '2026-10-14T10:00:00.000Z',
    ]);
    expect(known('2026-09-14T09:00:00.000001Z', '2026-10-31T23:59:59.999999Z')).toEqual([
      '2026-09-14T09:00:00.000Z',
      '2026-11-01T00:00:00.000Z',
    ]);
  });

  test.each([
    ['whole hours', '2026-09-14T09:00:00Z', '2026-10-14T09:00:00.000Z', stored],
    ['what is stored', stored, '2026-11-14T09:26:53.589793Z', stored],
    ['anything while nothing is archived', '2026-09-14T09:26:53Z', '2026-10-14T09:26:53Z', null],
  ])('leaves %s as it is', (_what, start, end, from) => {
    expect(known(start, end, from)).toEqual([start, end]);
  });

  test('leaves a stored end of an archived start', () => {
    expect(known('2026-10-14T09:26:53Z', '2026-11-14T09:26:53Z')).toEqual([
      '2026-10-14T09:00:00.000Z',
      '2026-11-14T09:26:53Z',
    ]);
  });
});
