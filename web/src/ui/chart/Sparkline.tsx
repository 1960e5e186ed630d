import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import styles from './Chart.module.css';
import { extentOf, type Point, valueAt } from './series';

/** The shape of a series, the size of a word. The numbers stand beside it. */
export function Sparkline({
  points,
  width = 120,
  height = 20,
}: {
  points: readonly Point[];
  width?: number;
  height?: number;
}) {
  const [low, high] = extentOf([{ name: '', points }], false);
  const y = scaleLinear([low, high === low ? low + 1 : high], [height - 2, 2]);
  const x = scaleLinear([0, Math.max(1, points.length - 1)], [1, width - 1]);
  const path = line<Point>()
    .defined(({ quantity }) => quantity !== null)
    .x((_point, place) => x(place))
    .y((_point, place) => y(valueAt(points, place) ?? 0))([...points]);
  return (
    <svg className={styles.spark} width={width} height={height} aria-hidden="true">
      <path className={styles.line} d={path ?? undefined} />
    </svg>
  );
}
