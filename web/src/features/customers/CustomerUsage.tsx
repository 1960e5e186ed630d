import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { graphql, readFragment } from '../../api/generated';
import type { CustomerUsageCardQuery } from '../../api/generated/graphql';
import { share } from '../../format/decimals';
import { plural } from '../../format/units';
import { Empty } from '../../ui/Empty';
import { RelativeTime } from '../../ui/Figures';
import { Progress } from '../../ui/Progress';
import { Card } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { BalanceCell, CreditCell, PeriodCell, UsedCell } from '../usage/cells';
import { CustomerUsage } from '../usage/usage';
import styles from './Credit.module.css';

const CustomerUsageCardDocument = graphql(`
  query CustomerUsageCard($id: ID!, $after: String) {
    customer(id: $id) {
      id
      meters(first: 50, after: $after) {
        nodes {
          id
          meter {
            id
            name
            unit
          }
          ...CustomerUsage
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

type Row = NonNullable<CustomerUsageCardQuery['customer']>['meters']['nodes'][number];

const meterColumn = (customer: string): Column<Row> => ({
  title: 'Meter',
  isName: true,
  cell: ({ meter: { id, name, unit } }) => (
    <>
      {/* To the usage of this customer. */}
      <Link to="/meters/$id" params={{ id }} search={{ customer }}>
        <bdi>{name}</bdi>
      </Link>
      {unit && ` (${plural(unit)})`}
    </>
  ),
});

const COLUMNS: Column<Row>[] = [
  {
    title: 'Period',
    isMinor: true,
    isWhole: true,
    cell: (row) => (
      <div className={styles.period}>
        <PeriodCell usage={row} />
      </div>
    ),
  },
  { title: 'Used', isNumber: true, cell: (row) => <UsedCell usage={row} /> },
  {
    title: 'Credit',
    isMinor: true,
    isNumber: true,
    cell: (row) => (
      <div className={styles.bar}>
        <CreditCell usage={row} />
        <CreditUsed row={row} />
      </div>
    ),
  },
  { title: 'Balance', isNumber: true, cell: (row) => <BalanceCell usage={row} /> },
  {
    title: 'Last change',
    isMinor: true,
    nowrap: true,
    cell: (row) => <RelativeTime at={readFragment(CustomerUsage, row).updatedAt} />,
  },
];

export function CustomerUsageCard({ id }: { id: string }) {
  const list = useList({
    query: CustomerUsageCardDocument,
    variables: { id },
    connection: (data) => data.customer?.meters,
  });
  const columns = useMemo(() => [meterColumn(id), ...COLUMNS], [id]);
  return (
    <Card title="Usage and balance" flush>
      <ListTable
        label="Usage by meter"
        list={list}
        columns={columns}
        empty={
          <Empty title="No usage yet">Meters appear here with the first event or credit.</Empty>
        }
      />
    </Card>
  );
}

const ALMOST = 0.8;

function CreditUsed({ row }: { row: Row }) {
  const { consumedUnits, creditedUnits } = readFragment(CustomerUsage, row);
  const used = share(consumedUnits, creditedUnits);
  if (creditedUnits === '0') {
    return null;
  }
  const tone = used >= 1 ? 'bad' : used >= ALMOST ? 'warn' : undefined;
  return <Progress label={`Credit used of ${row.meter.name}`} value={used} tone={tone} />;
}
