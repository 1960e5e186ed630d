import { expect, test } from 'vitest';
import { coalesced } from './coalescing';

function frames() {
  const flushes: (() => void)[] = [];
  return {
    schedule: (flush: () => void) => {
      flushes.push(flush);
      return () => flushes.splice(flushes.indexOf(flush), 1);
    },
    next: () => flushes.shift()?.(),
    count: () => flushes.length,
  };
}

interface Update {
  of: string | null;
  value: number;
}

test('a thousand updates of one number are one, the last', () => {
  const { schedule, next, count } = frames();
  const seen: Update[][] = [];
  const updates = coalesced<Update>(
    ({ of }) => of,
    (batch) => seen.push(batch),
    schedule,
  );
  for (let value = 1; value <= 1000; value++) {
    updates.add({ of: 'a', value });
    updates.add({ of: 'b', value: -value });
  }
  expect(count()).toBe(1);
  next();
  expect(seen).toEqual([
    [
      { of: 'a', value: 1000 },
      { of: 'b', value: -1000 },
    ],
  ]);
  updates.add({ of: 'a', value: 1 });
  next();
  expect(seen[1]).toEqual([{ of: 'a', value: 1 }]);
});

test('what has no key is kept in order, the latest 500', () => {
  const { schedule, next } = frames();
  const seen: number[] = [];
  const updates = coalesced<Update>(
    ({ of }) => of,
    (batch) => seen.push(...batch.map(({ value }) => value)),
    schedule,
  );
  for (let value = 1; value <= 2000; value++) {
    updates.add({ of: null, value });
  }
  next();
  expect([seen.length, seen[0], seen.at(-1)]).toEqual([500, 1501, 2000]);
});

test('nothing is handed on once it is stopped', () => {
  const { schedule, next } = frames();
  const seen: unknown[] = [];
  const updates = coalesced<Update>(
    ({ of }) => of,
    (batch) => seen.push(batch),
    schedule,
  );
  updates.add({ of: 'a', value: 1 });
  updates.stop();
  next();
  expect(seen).toEqual([]);
});
