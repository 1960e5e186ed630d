import { Link } from '@tanstack/react-router';
import { graphql } from '../../api/generated';
import type { CustomerSubscriptionStatus } from '../../api/generated/graphql';
import { buttonClass } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';
import { CustomerFilter } from '../customers/CustomerFilter';
import { useFilters } from '../listing/filters';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { ProductFilter } from '../products/ProductFilter';
import { subscriptionColumns } from './SubscriptionCells';

const Subscriptions = graphql(`
  query Subscriptions(
    $before: String
    $last: Int!
    $status: CustomerSubscriptionStatus
    $customerId: ID
    $productId: ID
  ) {
    subscriptions(
      last: $last
      before: $before
      status: $status
      customerId: $customerId
      productId: $productId
    ) {
      nodes {
        id
        ...SubscriptionCells_subscription
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
`);

const STATUSES: { value: CustomerSubscriptionStatus | ''; label: string }[] = [
  { value: '', label: 'Any status' },
  { value: 'ACTIVE', label: 'Active' },
  { value: 'TRIALING', label: 'In trial' },
  { value: 'SCHEDULED', label: 'Not started' },
  { value: 'CANCELED', label: 'Ended' },
];
const COLUMNS = subscriptionColumns({ withCustomer: true });

export function SubscriptionsPage() {
  const [{ status: named, customer, product }, change] = useFilters();
  const status = STATUSES.find(({ value }) => value === named)?.value;
  const isFiltered = Boolean(status || customer || product);
  const list = useList({
    query: Subscriptions,
    variables: {
      last: PAGE,
      status: status || null,
      customerId: customer ?? null,
      productId: product ?? null,
    },
    connection: (data) => data.subscriptions,
    newestFirst: true,
  });
  return (
    <Stack>
      <PageHead
        title="Subscriptions"
        about="Who pays for what, and until when."
        tools={<NewSubscriptionLink />}
      />
      <Card
        title="Newest first"
        flush
        tools={
          <>
            <CustomerFilter />
            <ProductFilter />
            <ToolSelect
              label="Status"
              value={status ?? ''}
              options={STATUSES}
              onChange={(next) => change({ status: next })}
            />
          </>
        }
      >
        <ListTable
          label="Subscriptions"
          list={list}
          columns={COLUMNS}
          empty={
            <Empty
              title={isFiltered ? 'No subscription matches' : 'No subscriptions yet'}
              action={!isFiltered && <NewSubscriptionLink />}
            >
              A customer that subscribes to a product gets its credit, and is invoiced for it.
            </Empty>
          }
        />
      </Card>
    </Stack>
  );
}

function NewSubscriptionLink() {
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Link to="/subscriptions/new" className={buttonClass({ look: 'primary' })}>
        New subscription
      </Link>
    </IfAllowed>
  );
}
