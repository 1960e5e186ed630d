import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { graphql } from '../../api/generated';
import type { CustomersQuery } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { SearchInput } from '../../ui/Field';
import { Time } from '../../ui/Figures';
import { Card, PageHead, Stack } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { usePermission } from '../access/permissions';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { CustomerLink } from './CustomerName';

const CustomerDialog = lazy(async () => ({
  default: (await import('./CustomerDialog')).CustomerDialog,
}));

const Customers = graphql(`
  query Customers($after: String, $first: Int!, $query: String) {
    customers(first: $first, after: $after, order: NEWEST, query: $query) {
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

/** Nothing is asked for until one stops typing. */
const PAUSE = 250;

export function CustomersPage() {
  const { q = '' } = useSearch({ strict: false }) as { q?: string };
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text !== q) {
        navigate({
          to: '.',
          search: (old: object) => ({ ...old, q: text || undefined }),
          replace: true,
        });
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  const list = useList({
    query: Customers,
    variables: { first: PAGE, query: q || null },
    connection: (data) => data.customers,
  });
  return (
    <Stack>
      <PageHead
        title="Customers"
        about="Whoever has events, credits or a subscription."
        tools={<NewCustomer />}
      />
      <Card
        title={q ? `Matching “${q}”` : 'Newest first'}
        flush
        tools={<SearchInput label="Search by name, email or ID" value={text} onChange={setText} />}
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
                An event with a new external customer ID makes a customer.
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
