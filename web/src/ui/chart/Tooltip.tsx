/** The numbers of one place of a chart: shown beside it, and as they are read out. */
import { formatPoint } from '../../format/time';
import styles from './Chart.module.css';
import type { Look } from './look';
import type { Measure } from './measure';
import type { PlotProps } from './Plot';
import { Swatch } from './Swatch';
import { isUnfinished, keyOf, longest, lookOf, type Point } from './series';

export function Tooltip({
  series,
  before,
  place,
  at,
  interval,
  measure,
  zone,
  completeThrough,
  onPick,
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
        {series.map((one, nth) => (
          <TooltipRow
            key={keyOf(one)}
            name={one.name}
            look={lookOf(one, nth)}
            text={numberAt(one.points, place, measure)}
          />
        ))}
        {before?.points[place] && (
          <TooltipRow
            name={formatPoint(before.points[place].start, before.points[place].end, interval, zone)}
            look={{ colour: 'var(--series-before)', texture: 'solid' }}
            text={numberAt(before.points, place, measure)}
          />
        )}
      </dl>
      {onPick && <p>Click to zoom in</p>}
    </div>
  );
}

function TooltipRow({ name, look, text }: { name: string; look: Look; text: string }) {
  return (
    <>
      <dt>
        <Swatch look={look} />
        <bdi>{name}</bdi>
      </dt>
      <dd>{text}</dd>
    </>
  );
}

export function spoken(
  { series, before, interval, measure, zone }: PlotProps,
  place: number,
): string {
  const point = longest(series)[place];
  if (point === undefined) {
    return '';
  }
  const numbers = [...series, ...(before ? [before] : [])].map(
    ({ name, points }) => `${name}: ${numberAt(points, place, measure)}`,
  );
  return `${formatPoint(point.start, point.end, interval, zone)}. ${numbers.join(', ')}`;
}

function numberAt(points: readonly Point[], place: number, measure: Measure): string {
  const quantity = points[place]?.quantity ?? null;
  return quantity === null ? '–' : measure.number(quantity);
}
