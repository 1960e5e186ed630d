import { useMemo } from 'react';
import { graphql, readFragment } from '../../api/generated';
import type { MeterCustomersQuery } from '../../api/generated/graphql';
import { plural } from '../../format/units';
import { Empty } from '../../ui/Empty';
import { RelativeTime } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { BalanceCell, PeriodCell, UsedCell } from '../usage/cells';
import { CustomerUsage } from '../usage/usage';

const MeterCustomersDocument = graphql(`
  query MeterCustomers($meterId: ID!, $after: String) {
    meter(id: $meterId) {
      id
      customers(first: 20, after: $after) {
        nodes {
          id
          customer {
            id
            ...CustomerName_customer
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

type Row = NonNullable<MeterCustomersQuery['meter']>['customers']['nodes'][number];

/** Made once, so that a row is drawn again only when it has changed. */
function columnsFor(unit: string | null): Column<Row>[] {
  return [
    {
      title: 'Customer',
      isName: true,
      cell: ({ customer }) => <CustomerLink customer={customer} />,
    },
    { title: 'Period', isMinor: true, nowrap: true, cell: (row) => <PeriodCell usage={row} /> },
    {
      title: unit === null ? 'Used' : `Used (${plural(unit)})`,
      isNumber: true,
      cell: (row) => <UsedCell usage={row} />,
    },
    { title: 'Balance', isNumber: true, cell: (row) => <BalanceCell usage={row} /> },
    {
      title: 'Last change',
      isMinor: true,
      nowrap: true,
      cell: (row) => <RelativeTime at={readFragment(CustomerUsage, row).updatedAt} />,
    },
  ];
}

/** The usage of all customers in their current period. */
export function MeterCustomers({ meterId, unit }: { meterId: string; unit: string | null }) {
  const list = useList({
    query: MeterCustomersDocument,
    variables: { meterId },
    connection: (data) => data.meter?.customers,
  });
  const columns = useMemo(() => columnsFor(unit), [unit]);
  return (
    <Card title="Customers in their current period" flush>
      <ListTable
        label="Usage by customer"
        list={list}
        columns={columns}
        empty={<Empty title="No usage yet">Customers appear with their first event.</Empty>}
      />
    </Card>
  );
}
