/** The drawing of a chart. Every point can be reached with the arrow keys and says its numbers. */
import { scaleBand, scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { formatCompact, fromDrawing } from '../../format/decimals';
import { formatPoint, formatTick, type Interval } from '../../format/time';
import { classes } from '../classes';
import styles from './Chart.module.css';
import { extentOf, labelledPlaces, type Point, type Series, valueAt } from './series';
import { chartNumber, seriesColour } from './TimeChart';
import { useWidth } from './useWidth';

export type PlotKind = 'bar' | 'line' | 'area';

export interface PlotProps {
  label: string;
  series: readonly Series[];
  before: Series | undefined;
  kind: PlotKind;
  stacked: boolean;
  interval: Interval;
  unit: string | null;
  zone: string;
  height: number;
  completeThrough: string | null;
  active: number | null;
  onActive(place: number | null): void;
}

const TOP = 10;
const BOTTOM = 24;
const LABEL_APART = 64;
const CHARACTER = 6.6;

export function Plot(props: PlotProps) {
  const { label, series, before, stacked, interval, zone, height, active, onActive } = props;
  const [box, width] = useWidth<HTMLDivElement>(640);
  const targets = useRef<(SVGRectElement | null)[]>([]);
  const points = longest(series);
  const count = points.length;
  const extent = extentOf(before ? [...series, before] : series, stacked);
  const y = scaleLinear(niceExtent(extent), [height - BOTTOM, TOP]).nice(4);
  const ticks = y.ticks(4).map((value) => ({ value, text: formatCompact(fromDrawing(value)) }));
  const left = 10 + CHARACTER * Math.max(...ticks.map(({ text }) => text.length));
  const x = scaleBand<number>()
    .domain(Array.from({ length: count }, (_point, place) => place))
    .range([left, width])
    .paddingInner(count > width / 5 ? 0.08 : 0.24)
    .paddingOuter(0.08);
  const centre = (place: number) => (x(place) ?? 0) + x.bandwidth() / 2;

  function move(event: PointerEvent<SVGSVGElement>) {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const place = Math.floor((at - left) / x.step());
    onActive(at < left || count === 0 ? null : Math.min(count - 1, Math.max(0, place)));
  }

  function step(event: KeyboardEvent) {
    const from = active ?? count;
    const places: Record<string, number> = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      Home: 0,
      End: count - 1,
    };
    const to = places[event.key];
    if (event.key === 'Escape') {
      onActive(null);
    } else if (to !== undefined) {
      event.preventDefault();
      targets.current[Math.min(count - 1, Math.max(0, to))]?.focus();
    }
  }

  return (
    <div className={styles.plot} ref={box}>
      <svg
        className={styles.svg}
        viewBox={`0 0 ${width} ${height}`}
        height={height}
        onPointerMove={move}
        onPointerLeave={() => onActive(null)}
        onKeyDown={step}
      >
        <title>{label}</title>
        {ticks.map(({ value, text }) => (
          <g key={value} aria-hidden="true">
            <line
              className={value === 0 ? styles.zero : styles.grid}
              x1={left}
              x2={width}
              y1={y(value)}
              y2={y(value)}
            />
            <text x={left - 8} y={y(value)} dy="0.32em" textAnchor="end">
              {text}
            </text>
          </g>
        ))}
        {labelledPlaces(count, width - left, LABEL_APART).map((place) => (
          <text
            key={place}
            x={labelX(centre(place), left, width)}
            y={height - 5}
            textAnchor="middle"
            aria-hidden="true"
          >
            {formatTick(points[place]?.start ?? '', interval, zone)}
          </text>
        ))}
        {active !== null && active < count && (
          <rect
            className={styles.cursor}
            x={(x(active) ?? 0) - (x.step() - x.bandwidth()) / 2}
            width={x.step()}
            y={TOP}
            height={height - BOTTOM - TOP}
          />
        )}
        <Marks {...props} x={(place) => x(place) ?? 0} band={x.bandwidth()} y={y} centre={centre} />
        {points.map((point, place) => (
          <rect
            key={point.start}
            ref={(element) => {
              targets.current[place] = element;
            }}
            className={styles.target}
            x={x(place)}
            width={x.bandwidth()}
            y={TOP}
            height={height - BOTTOM - TOP}
            rx={2}
            role="img"
            aria-label={spoken(props, place)}
            tabIndex={place === (active ?? count - 1) ? 0 : -1}
            onFocus={() => onActive(place)}
            onBlur={() => onActive(null)}
          />
        ))}
      </svg>
      {active !== null && active < count && (
        <Tooltip {...props} place={active} at={centre(active) / width} />
      )}
    </div>
  );
}

interface MarksProps extends PlotProps {
  x(place: number): number;
  y(value: number): number;
  centre(place: number): number;
  band: number;
}

function Marks(props: MarksProps) {
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

function Tooltip({
  series,
  before,
  place,
  at,
  interval,
  unit,
  zone,
  completeThrough,
}: PlotProps & { place: number; at: number }) {
  const point = longest(series)[place];
  if (point === undefined) {
    return null;
  }
  const side = at > 0.5 ? { right: `${(1 - at) * 100 + 2}%` } : { left: `${at * 100 + 2}%` };
  return (
    <div className={styles.tooltip} style={side} aria-hidden="true">
      <strong>
        {formatPoint(point.start, point.end, interval, zone)}
        {isUnfinished(point, completeThrough) && ' · so far'}
      </strong>
      <dl>
        {series.map(({ name, points }, nth) => (
          <TooltipRow
            key={name}
            name={name}
            colour={seriesColour(nth)}
            text={chartNumber(points[place]?.quantity ?? null, unit)}
          />
        ))}
        {before?.points[place] && (
          <TooltipRow
            name={formatPoint(before.points[place].start, before.points[place].end, interval, zone)}
            colour="var(--series-before)"
            text={chartNumber(before.points[place].quantity, unit)}
          />
        )}
      </dl>
    </div>
  );
}

function TooltipRow({ name, colour, text }: { name: string; colour: string; text: string }) {
  return (
    <>
      <dt>
        <span className={styles.swatch} style={{ color: colour }} />
        <bdi>{name}</bdi>
      </dt>
      <dd>{text}</dd>
    </>
  );
}

function spoken({ series, before, interval, unit, zone }: PlotProps, place: number): string {
  const point = longest(series)[place];
  if (point === undefined) {
    return '';
  }
  const numbers = [...series, ...(before ? [before] : [])].map(
    ({ name, points }) => `${name}: ${chartNumber(points[place]?.quantity ?? null, unit)}`,
  );
  return `${formatPoint(point.start, point.end, interval, zone)}. ${numbers.join(', ')}`;
}

function isUnfinished(point: Point, completeThrough: string | null): boolean {
  return completeThrough !== null && Date.parse(point.end) > Date.parse(completeThrough);
}

function longest(series: readonly Series[]): readonly Point[] {
  return series.reduce<readonly Point[]>(
    (most, { points }) => (points.length > most.length ? points : most),
    [],
  );
}

function niceExtent([low, high]: [number, number]): [number, number] {
  return low === 0 && high === 0 ? [0, 1] : [low, high];
}

/** Labels at the edges stay inside. */
function labelX(centre: number, left: number, width: number): number {
  return Math.min(width - 22, Math.max(left + 10, centre));
}
