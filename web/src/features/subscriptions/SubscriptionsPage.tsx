import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { graphql } from '../../api/generated';
import type { CustomerSubscriptionStatus } from '../../api/generated/graphql';
import { buttonClass } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { subscriptionColumns } from './SubscriptionCells';

const Subscriptions = graphql(`
  query Subscriptions($before: String, $last: Int!, $status: CustomerSubscriptionStatus) {
    subscriptions(last: $last, before: $before, status: $status) {
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
  { value: '', label: 'All' },
  { value: 'ACTIVE', label: 'Active' },
  { value: 'CANCELED', label: 'Ended' },
];
const COLUMNS = subscriptionColumns({ withCustomer: true });

export function SubscriptionsPage() {
  const { status } = useSearch({ strict: false }) as { status?: CustomerSubscriptionStatus };
  const navigate = useNavigate();
  const list = useList({
    query: Subscriptions,
    variables: { last: PAGE, status: status ?? null },
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
          <ToolSelect
            label="Status"
            value={status ?? ''}
            options={STATUSES}
            onChange={(next) =>
              navigate({
                to: '.',
                search: (old: object) => ({ ...old, status: next || undefined }),
                replace: true,
              })
            }
          />
        }
      >
        <ListTable
          label="Subscriptions"
          list={list}
          columns={COLUMNS}
          empty={
            <Empty
              title={status ? 'None with this status' : 'No subscriptions yet'}
              action={!status && <NewSubscriptionLink />}
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
