/** The drawing of a chart. Every point can be reached with the arrow keys and says its numbers. */
import { type ScaleLinear, scaleBand, scaleLinear } from 'd3-scale';
import { type KeyboardEvent, type MouseEvent, type PointerEvent, useRef } from 'react';
import { fromDrawing } from '../../format/decimals';
import { formatTick, type Interval } from '../../format/time';
import { classes } from '../classes';
import styles from './Chart.module.css';
import { Marks } from './Marks';
import type { Measure } from './measure';
import { extentOf, labelledPlaces, longest, type Point, type Series } from './series';
import { spoken, Tooltip } from './Tooltip';
import { useWidth } from './useWidth';

export type PlotKind = 'bar' | 'line' | 'area';

export interface PlotProps {
  label: string;
  series: readonly Series[];
  before: Series | undefined;
  kind: PlotKind;
  stacked: boolean;
  interval: Interval;
  measure: Measure;
  zone: string;
  height: number;
  completeThrough: string | null;
  active: number | null;
  onActive(place: number | null): void;
  /** A point is clicked, or Enter is pressed on it. */
  onPick?: ((point: Point) => void) | undefined;
}

const TOP = 10;
const BOTTOM = 24;
const LABEL_APART = 64;
const CHARACTER = 6.6;

export function Plot(props: PlotProps) {
  const { label, series, before, stacked, interval, measure, zone, height } = props;
  const { active, onActive, onPick } = props;
  const [box, width] = useWidth<HTMLDivElement>(640);
  const targets = useRef<(SVGRectElement | null)[]>([]);
  const points = longest(series);
  const count = points.length;
  const extent = extentOf(before ? [...series, before] : series, stacked);
  const y = scaleLinear(niceExtent(extent), [height - BOTTOM, TOP]).nice(4);
  const ticks = ticksOf(y, extent).map((value) => ({
    value,
    text: measure.tick(fromDrawing(value)),
  }));
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

  function pick() {
    const point = active === null ? undefined : points[active];
    if (point !== undefined) {
      onPick?.(point);
    }
  }

  function click(event: MouseEvent) {
    // A finger has no other way to see the numbers.
    if ((event.nativeEvent as globalThis.PointerEvent).pointerType !== 'touch') {
      pick();
    }
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
    } else if (event.key === 'Enter') {
      pick();
    } else if (to !== undefined) {
      event.preventDefault();
      targets.current[Math.min(count - 1, Math.max(0, to))]?.focus();
    }
  }

  return (
    <div className={styles.plot} ref={box}>
      <svg
        className={classes(styles.svg, onPick && styles.pickable)}
        viewBox={`0 0 ${width} ${height}`}
        height={height}
        onPointerMove={move}
        onPointerLeave={() => onActive(null)}
        onClick={click}
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

/** Where all is zero, there is no other value to name. */
function ticksOf(y: ScaleLinear<number, number>, [low, high]: [number, number]): number[] {
  return low === 0 && high === 0 ? [0] : y.ticks(4);
}

function niceExtent([low, high]: [number, number]): [number, number] {
  return low === 0 && high === 0 ? [0, 1] : [low, high];
}

/** Labels at the edges stay inside. */
function labelX(centre: number, left: number, width: number): number {
  return Math.min(width - 22, Math.max(left + 10, centre));
}
