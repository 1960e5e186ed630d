import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { TopCustomersQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { share } from '../../format/decimals';
import type { Bounds } from '../../format/ranges';
import { plural } from '../../format/units';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import styles from './TopCustomers.module.css';

const TopCustomersDocument = graphql(`
  query TopCustomers($meterId: ID!, $start: DateTime!, $end: DateTime!, $first: Int!) {
    meter(id: $meterId) {
      id
      topCustomers(start: $start, end: $end, first: $first) {
        customer {
          id
          ...CustomerName_customer
        }
        quantity
      }
    }
  }
`);

type Row = NonNullable<TopCustomersQuery['meter']>['topCustomers'][number];

/** Who used a meter most in a range; each bar is a share of the first one's usage. */
export function TopCustomers({
  meterId,
  unit,
  bounds,
  first,
}: {
  meterId: string;
  unit: string | null;
  bounds: Bounds;
  first: number;
}) {
  const [{ data, error }, again] = useQuery({
    query: TopCustomersDocument,
    variables: { meterId, ...bounds, first },
  });
  if (error && !data?.meter) {
    return (
      <ErrorPanel
        problem={problemOf(error)}
        onRetry={() => again({ requestPolicy: 'network-only' })}
        inset
      />
    );
  }
  const rows = data?.meter?.topCustomers ?? [];
  const most = rows[0]?.quantity ?? '0';
  const columns: Column<Row>[] = [
    {
      title: 'Customer',
      isName: true,
      cell: ({ customer, quantity }) => (
        <>
          <CustomerLink customer={customer} />
          <span
            className={styles.bar}
            style={{ width: `${share(quantity ?? '0', most) * 100}%` }}
          />
        </>
      ),
    },
    {
      title: unit === null ? 'Used' : `Used (${plural(unit)})`,
      isNumber: true,
      cell: ({ quantity }) => <Quantity value={quantity ?? null} />,
    },
  ];
  return (
    <Table
      label="Customers with the most usage"
      columns={columns}
      rows={rows}
      keyOf={({ customer }) => customer.id}
      loading={data === undefined}
      empty={<Empty title="No usage in this range">Choose a longer range.</Empty>}
    />
  );
}
