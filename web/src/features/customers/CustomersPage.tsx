import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../api/generated';
import type { CustomersQuery } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { Time } from '../../ui/Figures';
import { Card, PageHead, Stack } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { usePermission } from '../access/permissions';
import { useFilters } from '../listing/filters';
import { ListTable } from '../listing/ListTable';
import { OrderSelect } from '../listing/OrderSelect';
import { SearchTool } from '../listing/SearchTool';
import { PAGE, useList } from '../listing/useList';
import { CustomerLink } from './CustomerName';

const CustomerDialog = lazy(async () => ({
  default: (await import('./CustomerDialog')).CustomerDialog,
}));

const Customers = graphql(`
  query Customers($after: String, $first: Int!, $query: String, $order: ListOrder!) {
    customers(first: $first, after: $after, order: $order, query: $query) {
      nodes {
        id
        externalId
        email
        createdAt
        ...CustomerName_customer
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Row = CustomersQuery['customers']['nodes'][number];

const COLUMNS: Column<Row>[] = [
  { title: 'Customer', isName: true, cell: (customer) => <CustomerLink customer={customer} /> },
  {
    title: 'External ID',
    isMinor: true,
    cell: ({ externalId }) => externalId && <code>{externalId}</code>,
  },
  { title: 'Email', isMinor: true, cell: ({ email }) => email && <bdi>{email}</bdi> },
  { title: 'Created', nowrap: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function CustomersPage() {
  const [{ q = '', order }, change] = useFilters();
  const list = useList({
    query: Customers,
    variables: { first: PAGE, query: q || null, order: order === 'OLDEST' ? 'OLDEST' : 'NEWEST' },
    connection: (data) => data.customers,
  });
  return (
    <Stack>
      <PageHead title="Customers" about="Everyone you meter or bill." tools={<NewCustomer />} />
      <Card
        title={q ? `Matching “${q}”` : 'All customers'}
        flush
        tools={
          <>
            <SearchTool label="Search by name, email or ID" />
            <OrderSelect order={order} onChange={(next) => change({ order: next })} />
          </>
        }
      >
        <ListTable
          label="Customers"
          list={list}
          columns={COLUMNS}
          empty={
            q ? (
              <Empty title="No customer matches">
                The search looks for the text in names, emails and external IDs.
              </Empty>
            ) : (
              <Empty title="No customers yet" action={<NewCustomer />}>
                You can also send an event: a new external customer ID creates a customer.
              </Empty>
            )
          }
        />
      </Card>
    </Stack>
  );
}

function NewCustomer() {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  if (usePermission('BILLING_WRITE', 'EVENTS_WRITE') !== 'yes') {
    return null;
  }
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        New customer
      </Button>
      <Suspense>
        {isOpen && (
          <CustomerDialog
            onSaved={({ id }) => navigate({ to: '/customers/$id', params: { id } })}
            onClose={() => setOpen(false)}
          />
        )}
      </Suspense>
    </>
  );
}
