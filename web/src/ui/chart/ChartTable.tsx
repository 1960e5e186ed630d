import { formatPoint, type Interval } from '../../format/time';
import { Quantity } from '../Figures';
import { type Column, Table } from '../Table';
import styles from './Chart.module.css';
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
  unit,
  zone,
}: {
  label: string;
  series: readonly Series[];
  before: Series | undefined;
  interval: Interval;
  unit: string | null;
  zone: string;
}) {
  const columns: Column<Row>[] = [
    {
      title: 'Period',
      isName: true,
      cell: ({ point }) => formatPoint(point.start, point.end, interval, zone),
    },
    ...[...series, ...(before ? [before] : [])].map(({ name, points }) => ({
      title: unit === null ? name : `${name} (${unit})`,
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
