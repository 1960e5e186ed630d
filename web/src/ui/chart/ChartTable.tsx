import { formatPoint, type Interval } from '../../format/time';
import { Quantity } from '../Figures';
import { type Column, Table } from '../Table';
import styles from './Chart.module.css';
import type { Measure } from './measure';
import type { Point, Series } from './series';

interface Row {
  point: Point;
  place: number;
}

/** The numbers of a chart, all of them. */
export function ChartTable({
  label,
  series,
  before,
  interval,
  measure,
  zone,
}: {
  label: string;
  series: readonly Series[];
  before: Series | undefined;
  interval: Interval;
  measure: Measure;
  zone: string;
}) {
  const columns: Column<Row>[] = [
    {
      title: 'Period',
      isName: true,
      cell: ({ point }) => formatPoint(point.start, point.end, interval, zone),
    },
    ...[...series, ...(before ? [before] : [])].map(({ name, points }) => ({
      title: measure.heading(name),
      isNumber: true,
      cell: ({ place }: Row) => <Quantity value={points[place]?.quantity ?? null} />,
    })),
  ];
  const rows = (series[0]?.points ?? []).map((point, place) => ({ point, place }));
  return (
    <div className={styles.tableBox}>
      <Table label={label} columns={columns} rows={rows} keyOf={({ point }) => point.start} />
    </div>
  );
}
