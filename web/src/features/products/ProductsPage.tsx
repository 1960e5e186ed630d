import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { graphql } from '../../api/generated';
import type { ProductsQuery } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';
import { buttonClass } from '../../ui/Button';
import { Time } from '../../ui/Figures';
import { PageHead, Stack } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { IfAllowed } from '../access/permissions';
import { useFilters } from '../listing/filters';
import { NamedList } from '../listing/NamedList';
import { useList } from '../listing/useList';
import { SimulationsCard } from '../simulations/SimulationsCard';
import { priceSummary } from './PriceText';

const Products = graphql(`
  query Products($after: String, $includeArchived: Boolean!
    $query: String) {
    products(first: 20, after: $after, includeArchived: $includeArchived, query: $query) {
      nodes {
        id
        name
        recurringInterval
        intervalCount
        createdAt
        archivedAt
        prices {
          id
          ...PriceSummary_price
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Row = ProductsQuery['products']['nodes'][number];

const COLUMNS: Column<Row>[] = [
  {
    title: 'Product',
    isName: true,
    cell: ({ id, name }) => (
      <Link to="/products/$id" params={{ id }}>
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  {
    title: 'Prices',
    isWhole: true,
    cell: (product) =>
      product.prices.map((price) => <div key={price.id}>{priceSummary(price, product)}</div>),
  },
  {
    title: 'Status',
    nowrap: true,
    cell: ({ archivedAt }) =>
      archivedAt ? <Badge>Archived</Badge> : <Badge tone="good">On sale</Badge>,
  },
  {
    title: 'Created',
    isMinor: true,
    nowrap: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
];

export function ProductsPage() {
  const [{ q }] = useFilters();
  const [includeArchived, setIncludeArchived] = useState(false);
  const list = useList({
    query: Products,
    variables: { includeArchived, query: q ?? null },
    connection: (data) => data.products,
  });
  return (
    <Stack>
      <PageHead
        title="Products"
        about="What customers subscribe to: prices, and credit for each period."
        tools={<NewProductLink />}
      />
      <NamedList
        what="product"
        list={list}
        columns={COLUMNS}
        includeArchived={includeArchived}
        onIncludeArchived={setIncludeArchived}
        about="A product has fixed prices, prices for metered usage, and credit."
        action={<NewProductLink />}
      />
      <SimulationsCard />
    </Stack>
  );
}

function NewProductLink() {
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Link to="/products/new" className={buttonClass({ look: 'primary' })}>
        New product
      </Link>
    </IfAllowed>
  );
}
