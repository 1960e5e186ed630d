import { Link } from '@tanstack/react-router';
import { graphql } from '../../api/generated';
import type { SimulationsQuery } from '../../api/generated/graphql';
import { formatPeriod } from '../../format/time';
import { Empty } from '../../ui/Empty';
import { Time } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { SimulationStatus } from './SimulationStatus';

const Simulations = graphql(`
  query Simulations($after: String) {
    priceSimulations(first: 10, after: $after) {
      nodes {
        id
        name
        status
        start
        end
        createdAt
        product {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Row = SimulationsQuery['priceSimulations']['nodes'][number];

const COLUMNS: Column<Row>[] = [
  {
    title: 'Simulation',
    isName: true,
    cell: ({ id, name }) => (
      <Link to="/simulations/$id" params={{ id }}>
        <bdi>{name ?? 'Simulated prices'}</bdi>
      </Link>
    ),
  },
  {
    title: 'Product',
    isMinor: true,
    cell: ({ product }) =>
      product && (
        <Link to="/products/$id" params={{ id: product.id }}>
          <bdi>{product.name}</bdi>
        </Link>
      ),
  },
  // A simulation's days are those of UTC.
  { title: 'Usage of', cell: ({ start, end }) => formatPeriod(start, end, 'UTC') },
  { title: 'Status', nowrap: true, cell: ({ status }) => <SimulationStatus status={status} /> },
  {
    title: 'Started',
    isMinor: true,
    nowrap: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
];

/** The simulations of prices that are still kept, of all products. */
export function SimulationsCard() {
  const list = useList({
    query: Simulations,
    variables: {},
    connection: (data) => data.priceSimulations,
  });
  return (
    <Card title="Simulated prices" flush>
      <ListTable
        label="Simulated prices"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No simulations yet">
            Open a product and choose “Simulate prices” to see what its customers would have paid at
            other prices.
          </Empty>
        }
      />
    </Card>
  );
}
