/** The bars, lines and areas of a chart. */
import { area, line } from 'd3-shape';
import { classes } from '../classes';
import styles from './Chart.module.css';
import type { PlotProps } from './Plot';
import { isUnfinished, longest, type Point, valueAt } from './series';

interface MarksProps extends PlotProps {
  x(place: number): number;
  y(value: number): number;
  centre(place: number): number;
  band: number;
}

export function Marks(props: MarksProps) {
  const { series, before, stacked, kind, active, centre, y } = props;
  const floors = longest(series).map(() => ({ up: 0, down: 0 }));
  return (
    <g>
      {series.map(({ name, points }) => {
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
          <g key={name} className={styles.series}>
            {kind === 'bar' ? (
              <Bars
                {...props}
                points={points}
                spans={spans}
                share={stacked ? 1 : series.length}
                place={series.findIndex((each) => each.name === name)}
              />
            ) : (
              <Line {...props} spans={spans} filled={kind === 'area'} />
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

type Span = readonly [from: number, to: number | null];

function Bars({
  points,
  spans,
  x,
  y,
  band,
  share,
  place: nth,
  completeThrough,
}: MarksProps & {
  points: readonly Point[];
  spans: readonly Span[];
  share: number;
  place: number;
}) {
  const width = Math.max(1, band / share);
  return spans.map(([from, to], place) => {
    const point = points[place];
    if (to === null || to === from || point === undefined) {
      return null;
    }
    const top = Math.min(y(from), y(to));
    return (
      <rect
        key={point.start}
        className={classes(styles.bar, isUnfinished(point, completeThrough) && styles.unfinished)}
        x={x(place) + (share > 1 ? nth * width : 0)}
        width={width}
        y={top}
        // What is not nothing is seen.
        height={Math.max(1, Math.abs(y(from) - y(to)))}
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
}: MarksProps & { spans: readonly Span[]; filled: boolean }) {
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
