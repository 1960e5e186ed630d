import { expect, test } from 'vitest';
import { ALL, alone, type Group, grouped, toggled, totalOf, valueName } from './groups';

const DAY = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };

function group(value: string | null, total: string): Group {
  return {
    values: [{ property: 'model', value }],
    isOther: false,
    total,
    points: [{ ...DAY, quantity: total }],
  };
}

const OTHER: Group = { values: [], isOther: true, total: '5', points: [{ ...DAY, quantity: '5' }] };
const MANY = [
  ...Array.from({ length: 1000 }, (_group, rank) => group(`m${rank}`, String(1000 - rank))),
  OTHER,
];

test('values are named plainly', () => {
  expect(valueName({ property: 'model', value: 'gpt' })).toBe('gpt');
  expect(valueName({ property: 'model', value: null })).toBe('No model');
  expect(valueName({ property: 'model', value: '' })).toBe('Empty model');
  const both = {
    ...group(null, '1'),
    values: [...group(null, '1').values, { property: 'kind', value: 'in' }],
  };
  const { entries } = grouped([both, OTHER], true, ALL);
  expect(entries.map(({ name }) => name)).toEqual(['No model · in', 'Other values']);
});

test('the text "null" and the missing value are two groups', () => {
  const { groups } = grouped([group('null', '2'), group(null, '1')], true, ALL);
  expect(new Set(groups.map(({ key }) => key)).size).toBe(2);
});

test('the largest are drawn by themselves and the rest as one, which adds up', () => {
  const { entries, groups, undrawn } = grouped(MANY, true, ALL);
  expect(entries).toHaveLength(12);
  expect(entries.map(({ name }) => name).slice(-3)).toEqual(['m9', '990 more', 'Other values']);
  expect(groups).toHaveLength(1001);
  expect(undrawn).toBe(0);
  expect(totalOf(entries)).toBe(totalOf(groups));
  expect(totalOf(entries)).toBe('500505');
  expect(entries[10]?.points[0]?.quantity).toBe(entries[10]?.total);
});

test('neighbours differ in colour and in texture', () => {
  const looks = grouped(MANY, true, ALL).entries.map(({ look }) => look);
  for (const [place, look] of looks.entries()) {
    const next = looks[place + 1];
    expect(look.colour === next?.colour && look.texture === next?.texture).toBe(false);
  }
  expect(new Set(looks.map(({ colour, texture }) => colour + texture)).size).toBe(12);
});

test('what cannot be added up is not drawn as one', () => {
  const { entries, undrawn } = grouped(MANY, false, ALL);
  expect(entries.map(({ name }) => name)).toEqual([
    ...Array.from({ length: 10 }, (_group, rank) => `m${rank}`),
    'Other values',
  ]);
  expect(undrawn).toBe(990);
});

test('a group is taken away and brought back, and looks as before', () => {
  const before = grouped(MANY, true, ALL).entries;
  const without = toggled(ALL, before[0]?.key ?? '');
  const { entries } = grouped(MANY, true, without);
  expect(entries.map(({ isShown }) => isShown)).toEqual([false, ...Array(11).fill(true)]);
  expect(entries.map(({ look }) => look)).toEqual(before.map(({ look }) => look));
  expect(toggled(without, before[0]?.key ?? '')).toEqual(ALL);
});

test('a small group can be shown alone', () => {
  const key = '["m500"]';
  const one = alone(ALL, key);
  const { entries } = grouped(MANY, true, one);
  expect(entries.filter(({ isShown }) => isShown).map(({ name }) => name)).toEqual(['m500']);
  expect(entries.map(({ name }) => name)).toContain('989 more');
  expect(alone(one, key)).toEqual(ALL);
  const two = toggled(one, '["m0"]');
  expect(
    grouped(MANY, true, two)
      .entries.filter(({ isShown }) => isShown)
      .map(({ name }) => name),
  ).toEqual(['m0', 'm500']);
});

test('the rest is taken away together', () => {
  const { entries, groups } = grouped(MANY, true, toggled(ALL, 'rest'));
  expect(entries.find(({ key }) => key === 'rest')?.isShown).toBe(false);
  expect(groups.filter(({ isShown }) => isShown)).toHaveLength(11);
});
