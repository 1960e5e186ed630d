/** The bars, lines and areas of a chart. */
import { area, line } from 'd3-shape';
import { useId } from 'react';
import { classes } from '../classes';
import styles from './Chart.module.css';
import type { Texture } from './look';
import type { PlotProps } from './Plot';
import { isUnfinished, keyOf, longest, lookOf, type Point, valueAt } from './series';

interface MarksProps extends PlotProps {
  x(place: number): number;
  y(value: number): number;
  centre(place: number): number;
  band: number;
}

export function Marks(props: MarksProps) {
  const { series, before, stacked, kind, active, centre, y } = props;
  const id = useId();
  const floors = longest(series).map(() => ({ up: 0, down: 0 }));
  return (
    <g>
      {series.map((one, nth) => {
        const { points } = one;
        const { colour, texture } = lookOf(one, nth);
        const spans = points.map((_point, place) => {
          const value = valueAt(points, place);
          const floor = floors[place];
          if (value === null || !stacked || floor === undefined) {
            return [0, value] as const;
          }
          const from = value < 0 ? floor.down : floor.up;
          floor[value < 0 ? 'down' : 'up'] = from + value;
          return [from, from + value] as const;
        });
        return (
          <g key={keyOf(one)} style={{ color: colour }}>
            {kind === 'bar' ? (
              <>
                {texture !== 'solid' && <Pattern id={`${id}-${nth}`} texture={texture} />}
                <Bars
                  {...props}
                  points={points}
                  spans={spans}
                  share={stacked ? 1 : series.length}
                  place={nth}
                  fill={texture === 'solid' ? 'currentcolor' : `url(#${id}-${nth})`}
                  apart={stacked && series.length > 1}
                />
              </>
            ) : (
              <Line {...props} spans={spans} filled={kind === 'area'} dash={DASHES[texture]} />
            )}
            {kind !== 'bar' && active !== null && spans[active]?.[1] != null && (
              <circle className={styles.mark} cx={centre(active)} cy={y(spans[active][1])} r={4} />
            )}
          </g>
        );
      })}
      {before && (
        <g className={styles.before}>
          <Line
            {...props}
            spans={before.points
              .slice(0, floors.length)
              .map((_point, place) => [0, valueAt(before.points, place)] as const)}
            filled={false}
          />
        </g>
      )}
    </g>
  );
}

/** In pixels: a line around less would cover it. */
const LEAST_APART = 3;

type Span = readonly [from: number, to: number | null];

const DASHES: Record<Texture, string | undefined> = {
  solid: undefined,
  stripes: '7 3',
  dots: '2 3',
};

/** A fill in the colour of its series. */
function Pattern({ id, texture }: { id: string; texture: Exclude<Texture, 'solid'> }) {
  return (
    <pattern
      id={id}
      width={6}
      height={6}
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect width={6} height={6} fill="currentcolor" opacity={0.4} />
      {texture === 'stripes' ? (
        <rect width={3} height={6} fill="currentcolor" />
      ) : (
        <circle cx={3} cy={3} r={1.7} fill="currentcolor" />
      )}
    </pattern>
  );
}

function Bars({
  points,
  spans,
  x,
  y,
  band,
  share,
  place: nth,
  fill,
  apart,
  completeThrough,
}: MarksProps & {
  points: readonly Point[];
  spans: readonly Span[];
  share: number;
  place: number;
  fill: string;
  /** A line stands between it and its neighbours. */
  apart: boolean;
}) {
  const width = Math.max(1, band / share);
  return spans.map(([from, to], place) => {
    const point = points[place];
    if (to === null || to === from || point === undefined) {
      return null;
    }
    const top = Math.min(y(from), y(to));
    // What is not nothing is seen.
    const height = Math.max(1, Math.abs(y(from) - y(to)));
    return (
      <rect
        key={point.start}
        className={classes(
          isUnfinished(point, completeThrough) && styles.unfinished,
          apart && height > LEAST_APART && styles.apart,
        )}
        fill={fill}
        x={x(place) + (share > 1 ? nth * width : 0)}
        width={width}
        y={top}
        height={height}
        rx={Math.min(2, width / 4)}
      />
    );
  });
}

function Line({
  spans,
  centre,
  y,
  filled,
  dash,
}: MarksProps & { spans: readonly Span[]; filled: boolean; dash?: string | undefined }) {
  const shown = [...spans];
  const place = (_span: Span, index: number) => centre(index);
  const isThere = ([, to]: Span) => to !== null;
  return (
    <>
      {filled && (
        <path
          className={styles.area}
          d={
            area<Span>()
              .defined(isThere)
              .x(place)
              .y0(([from]) => y(from))
              .y1(([, to]) => y(to ?? 0))(shown) ?? undefined
          }
        />
      )}
      <path
        className={styles.line}
        strokeDasharray={dash}
        d={
          line<Span>()
            .defined(isThere)
            .x(place)
            .y(([, to]) => y(to ?? 0))(shown) ?? undefined
        }
      />
    </>
  );
}
