/** Usage over time, as bars, lines or areas, with the same numbers as a table. */
import { type ReactNode, useState } from 'react';
import type { Interval } from '../../format/time';
import { useZone } from '../zone';
import styles from './Chart.module.css';
import { ChartTable } from './ChartTable';
import { inMoney, inUnits } from './measure';
import { Plot, type PlotKind } from './Plot';
import { Swatch } from './Swatch';
import { keyOf, lookOf, type Merging, merged, type Point, type Series } from './series';

export interface TimeChartProps {
  /** What it shows, for whoever cannot see it. */
  label: string;
  series: readonly Series[];
  /** The same of an earlier range, drawn behind, point by point. */
  before?: Series | undefined;
  kind?: PlotKind;
  stacked?: boolean;
  interval: Interval;
  unit?: string | null;
  /** Of the amounts in major units, where it shows money. */
  currency?: string | undefined;
  merging: Merging;
  /** Points that end later are still growing. */
  completeThrough?: string | null;
  loading?: boolean;
  /** Shows the table instead. */
  asTable?: boolean;
  height?: number;
  /** Instead of its own. */
  legend?: ReactNode;
  /** Goes into a point that is clicked. */
  onPick?: (point: Point) => void;
}

export function TimeChart(props: TimeChartProps) {
  const { label, series, before, interval, unit = null, currency, merging } = props;
  const {
    loading,
    asTable,
    kind = 'bar',
    stacked = false,
    completeThrough = null,
    height = 240,
    legend,
    onPick,
  } = props;
  const zone = useZone();
  const [active, setActive] = useState<number | null>(null);

  if (loading) {
    return <Ghosts height={height} />;
  }
  const measure = currency === undefined ? inUnits(unit) : inMoney(currency);
  if (asTable) {
    return <ChartTable {...{ label, series, before, interval, measure, zone }} />;
  }
  const drawn = series.map((one) => ({ ...one, ...merged(one.points, merging) }));
  const drawnBefore = before && { name: before.name, ...merged(before.points, merging) };
  const each = drawn[0]?.each ?? 1;
  if (drawn.every(({ points }) => points.every(({ quantity }) => quantity === null))) {
    return (
      <div className={styles.frame}>
        <div className={styles.placeholder} style={{ height }}>
          Nothing in this range
        </div>
        {legend}
      </div>
    );
  }
  return (
    <div className={styles.frame}>
      <Plot
        {...{ label, kind, stacked, interval, measure, zone, height, active, completeThrough }}
        series={drawn}
        before={drawnBefore}
        onActive={setActive}
        onPick={onPick}
      />
      {legend ?? ((series.length > 1 || before) && <Legend series={drawn} before={drawnBefore} />)}
      {each > 1 && (
        <p className={styles.note}>
          {merging === 'sum'
            ? `Each point is the sum of ${each} ${INTERVALS[interval]}.`
            : `Each point is the highest of ${each} ${INTERVALS[interval]}.`}{' '}
          The table has them all.
        </p>
      )}
    </div>
  );
}

const INTERVALS: Record<Interval, string> = {
  HOUR: 'hours',
  DAY: 'days',
  WEEK: 'weeks',
  MONTH: 'months',
  YEAR: 'years',
};

function Legend({ series, before }: { series: readonly Series[]; before: Series | undefined }) {
  return (
    <ul className={styles.legend}>
      {series.map((one, place) => (
        <li key={keyOf(one)}>
          <Swatch look={lookOf(one, place)} />
          <bdi>{one.name}</bdi>
        </li>
      ))}
      {before && (
        <li>
          <span
            className={`${styles.swatch} ${styles.swatchBefore}`}
            style={{ color: 'var(--series-before)' }}
          />
          {before.name}
        </li>
      )}
    </ul>
  );
}

function Ghosts({ height }: { height: number }) {
  const heights = [30, 45, 38, 60, 52, 70, 64, 48, 58, 75, 68, 82, 60, 72];
  return (
    <div className={styles.ghosts} style={{ height }} aria-hidden="true">
      {heights.map((percent, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are nothing but their place
        <span key={place} style={{ height: `${percent}%` }} />
      ))}
    </div>
  );
}
