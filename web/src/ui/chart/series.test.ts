import { expect, test } from 'vitest';
import { extentOf, labelledPlaces, merged, type Point } from './series';

function hours(quantities: (string | null)[]): Point[] {
  return quantities.map((quantity, hour) => ({
    start: new Date(hour * 3_600_000).toISOString(),
    end: new Date((hour + 1) * 3_600_000).toISOString(),
    quantity,
  }));
}

test('few points stay as they are', () => {
  const points = hours(['1', null, '3']);
  expect(merged(points, 'sum', 3)).toEqual({ points, each: 1 });
});

test('neighbours are drawn as one, and none is left out', () => {
  const { points, each } = merged(hours(['0.1', '0.2', null, '4', null, null, '7']), 'sum', 4);
  expect(each).toBe(2);
  expect(points.map(({ quantity }) => quantity)).toEqual(['0.3', '4', null, '7']);
  expect(points[1]).toMatchObject({
    start: '1970-01-01T02:00:00.000Z',
    end: '1970-01-01T04:00:00.000Z',
  });
  expect(points.at(-1)?.end).toBe('1970-01-01T07:00:00.000Z');
});

test('what cannot be added shows its highest', () => {
  const { points } = merged(hours(['-5', '-3', '10', '9', null]), 'highest', 3);
  expect(points.map(({ quantity }) => quantity)).toEqual(['-3', '10', null]);
});

test('ten thousand hours are at most 400 bars that sum up to the same', () => {
  const { points } = merged(hours(Array.from({ length: 10_000 }, () => '0.1')), 'sum');
  expect(points.length).toBeLessThanOrEqual(400);
  expect(
    points.reduce(
      (sum, { quantity }) =>
        sum + BigInt((quantity ?? '').replace('.', '') || 0) * (quantity?.includes('.') ? 1n : 10n),
      0n,
    ),
  ).toBe(10_000n);
});

test('the extent has zero in it, and what is stacked on top', () => {
  const all = [
    { name: 'a', points: hours(['5', null]) },
    { name: 'b', points: hours(['7', '-2']) },
  ];
  expect(extentOf(all, false)).toEqual([-2, 7]);
  expect(extentOf(all, true)).toEqual([-2, 12]);
  expect(extentOf([], true)).toEqual([0, 0]);
});

test('labels keep their distance', () => {
  expect(labelledPlaces(24, 600, 60)).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
  expect(labelledPlaces(30, 300, 60)).toEqual([0, 6, 12, 18, 24]);
  expect(labelledPlaces(0, 300, 60)).toEqual([]);
  expect(labelledPlaces(400, 10, 60)).toEqual([0]);
});
