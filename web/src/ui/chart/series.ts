/**
 * What a chart draws, from the points that the API returns.
 *
 * Points have exact bounds, so places on the x axis are theirs in order, and nothing is computed with
 * time. Where there are more than fit, neighbours are drawn as one: none is left out.
 */
import { add, compare, type Decimal, toDrawing } from '../../format/decimals';
import type { Instant } from '../../format/time';
import { type Look, seriesColour } from './look';

export interface Point {
  start: Instant;
  end: Instant;
  quantity: Decimal | null;
}

export interface Series {
  name: string;
  points: readonly Point[];
  /** Tells it apart from others of its name. */
  key?: string;
  /** Otherwise, the colour of its place. */
  look?: Look;
}

export function keyOf({ key, name }: Series): string {
  return key ?? name;
}

export function lookOf({ look }: Series, place: number): Look {
  return look ?? { colour: seriesColour(place), texture: 'solid' };
}

/** How the quantities of neighbours become one. */
export type Merging = 'sum' | 'highest';

export const MOST_POINTS = 400;

/** At most `most` points, each of equally many neighbours, but for the last. */
export function merged(
  points: readonly Point[],
  merging: Merging,
  most = MOST_POINTS,
): { points: readonly Point[]; each: number } {
  const each = Math.max(1, Math.ceil(points.length / most));
  if (each === 1) {
    return { points, each };
  }
  const groups: Point[] = [];
  for (let place = 0; place < points.length; place += each) {
    groups.push(
      points.slice(place, place + each).reduce((one, next) => joined(one, next, merging)),
    );
  }
  return { points: groups, each };
}

function joined(first: Point, second: Point, merging: Merging): Point {
  return {
    start: first.start,
    end: second.end,
    quantity: joinedQuantity(first.quantity, second.quantity, merging),
  };
}

function joinedQuantity(a: Decimal | null, b: Decimal | null, merging: Merging): Decimal | null {
  if (a === null || b === null) {
    return a ?? b;
  }
  if (merging === 'sum') {
    return add(a, b);
  }
  return compare(a, b) >= 0 ? a : b;
}

/** The lowest and the highest value to draw, with zero between them. */
export function extentOf(all: readonly Series[], stacked: boolean): [number, number] {
  let [low, high] = [0, 0];
  if (stacked) {
    const places = Math.max(0, ...all.map(({ points }) => points.length));
    for (let place = 0; place < places; place++) {
      const values = all.map(({ points }) => valueAt(points, place) ?? 0);
      high = Math.max(high, values.filter((value) => value > 0).reduce(plus, 0));
      low = Math.min(low, values.filter((value) => value < 0).reduce(plus, 0));
    }
    return [low, high];
  }
  for (const { points } of all) {
    for (let place = 0; place < points.length; place++) {
      const value = valueAt(points, place) ?? 0;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

export function valueAt(points: readonly Point[], place: number): number | null {
  const quantity = points[place]?.quantity;
  return quantity === undefined || quantity === null ? null : toDrawing(quantity);
}

/** The points of the longest series, whose bounds are the chart's places. */
export function longest(series: readonly Series[]): readonly Point[] {
  return series.reduce<readonly Point[]>(
    (most, { points }) => (points.length > most.length ? points : most),
    [],
  );
}

/** Whether a point still grows: it ends after what is complete. */
export function isUnfinished(point: Point, completeThrough: string | null): boolean {
  return completeThrough !== null && Date.parse(point.end) > Date.parse(completeThrough);
}

/** The places that get a label, so that they stand `apart` at least. */
export function labelledPlaces(count: number, width: number, apart: number): number[] {
  const fit = Math.max(1, Math.floor(width / apart));
  const step = NICE_STEPS.find((each) => count / each <= fit) ?? Math.ceil(count / fit);
  return Array.from({ length: Math.ceil(count / step) }, (_place, index) => index * step);
}

const NICE_STEPS = [1, 2, 3, 4, 6, 7, 12, 14, 24, 28, 48];

function plus(a: number, b: number): number {
  return a + b;
}
