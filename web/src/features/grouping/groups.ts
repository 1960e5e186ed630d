/**
 * Usage by dimension, as a chart shows it: the largest groups, each with a look of its own, and the
 * rest as one. All of it follows from what the API answers and from which groups were chosen.
 */
import { add, type Decimal, sum } from '../../format/decimals';
import { type Look, lookAt, OTHER, REST } from '../../ui/chart/look';
import type { Point } from '../../ui/chart/series';

/** A group as the API answers it, the one with the greatest total first. */
export interface Group {
  values: readonly { property: string; value?: string | null }[];
  isOther: boolean;
  total?: Decimal | null;
  points: readonly { start: string; end: string; quantity?: Decimal | null }[];
}

export interface NamedGroup {
  /** Names the group in an address. */
  key: string;
  name: string;
  look: Look;
  total: Decimal | null;
  points: readonly Point[];
  isShown: boolean;
}

/** Which groups are shown: all but some, or only some. */
export interface Choice {
  is: 'all but' | 'only';
  keys: readonly string[];
}

export const ALL: Choice = { is: 'all but', keys: [] };

/** So many groups are drawn by themselves. */
export const MOST_DRAWN = 10;

const OTHER_KEY = 'other';
const REST_KEY = 'rest';

export interface Grouped {
  /** What a legend lists, and a chart draws where it is shown. */
  entries: readonly NamedGroup[];
  /** Every group, for a table. */
  groups: readonly NamedGroup[];
  /** How many groups have no entry, because they cannot be added up. */
  undrawn: number;
}

/**
 * `additive`: the groups add up, so that those beyond the largest are drawn as one.
 *
 * A group that was chosen is drawn, however small it is.
 */
export function grouped(all: readonly Group[], additive: boolean, choice: Choice): Grouped {
  const groups = all.map((group, rank) => named(group, rank, choice));
  const isOwn = ({ key }: NamedGroup, rank: number) =>
    rank < MOST_DRAWN || key === OTHER_KEY || (choice.is === 'only' && choice.keys.includes(key));
  const own = groups.filter(isOwn);
  const small = groups.filter((group, rank) => !isOwn(group, rank));
  const isRestShown = isShown(REST_KEY, choice);
  if (small.length === 0) {
    return { entries: own, groups, undrawn: 0 };
  }
  // The groups of the rest are shown together or not at all.
  const listed = groups.map((group) =>
    small.includes(group) ? { ...group, look: REST, isShown: additive && isRestShown } : group,
  );
  if (!additive) {
    return { entries: own, groups: listed, undrawn: small.length };
  }
  const rest: NamedGroup = {
    key: REST_KEY,
    name: small.length === 1 ? '1 more' : `${small.length} more`,
    look: REST,
    total: totalOf(small),
    points: (small[0]?.points ?? []).map((point, place) => ({
      ...point,
      quantity: totalAt(small, place),
    })),
    isShown: isRestShown,
  };
  const last = own.filter(({ key }) => key === OTHER_KEY);
  return {
    entries: [...own.filter((group) => !last.includes(group)), rest, ...last],
    groups: listed,
    undrawn: 0,
  };
}

/** What usage of these dimensions can be grouped by: each of them, and any two together. */
export function groupingsOf(dimensions: readonly string[]): (readonly string[])[] {
  const pairs = dimensions.flatMap((first, place) =>
    dimensions.slice(place + 1).map((second) => [first, second]),
  );
  return [...dimensions.map((each) => [each]), ...pairs];
}

/** Takes a group away, or brings it back. */
export function toggled(choice: Choice, key: string): Choice {
  const keys = choice.keys.includes(key)
    ? choice.keys.filter((each) => each !== key)
    : [...choice.keys, key];
  return keys.length === 0 ? ALL : { is: choice.is, keys };
}

/** Shows one group by itself; all again, if it is by itself already. */
export function alone(choice: Choice, key: string): Choice {
  return isAlone(choice, key) ? ALL : { is: 'only', keys: [key] };
}

export function isAlone({ is, keys }: Choice, key: string): boolean {
  return is === 'only' && keys.length === 1 && keys[0] === key;
}

/** The sum of what is shown; null where there is nothing to add. */
export function totalOf(groups: readonly NamedGroup[]): Decimal | null {
  const totals = groups.flatMap(({ total }) => (total === null ? [] : [total]));
  return totals.length === 0 ? null : sum(totals);
}

/** What the values of a group are called: "gpt-4.1 · input", or "No model". */
export function valueName({ property, value }: Group['values'][number]): string {
  if (value === null || value === undefined) {
    return `No ${property}`;
  }
  return value.trim() === '' ? `Empty ${property}` : value;
}

function named(
  { values, isOther, total, points }: Group,
  rank: number,
  choice: Choice,
): NamedGroup {
  const key = isOther ? OTHER_KEY : JSON.stringify(values.map(({ value }) => value ?? null));
  return {
    key,
    name: isOther ? 'Other values' : values.map(valueName).join(' · '),
    look: isOther ? OTHER : lookAt(rank),
    total: total ?? null,
    points: points.map(({ start, end, quantity }) => ({ start, end, quantity: quantity ?? null })),
    isShown: isShown(key, choice),
  };
}

function isShown(key: string, { is, keys }: Choice): boolean {
  return keys.includes(key) === (is === 'only');
}

function totalAt(groups: readonly NamedGroup[], place: number): Decimal | null {
  return groups.reduce<Decimal | null>((total, { points }) => {
    const quantity = points[place]?.quantity ?? null;
    return total === null || quantity === null ? (total ?? quantity) : add(total, quantity);
  }, null);
}
