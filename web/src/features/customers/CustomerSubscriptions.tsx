import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { subscriptionColumns } from '../subscriptions/SubscriptionCells';

const CustomerSubscriptionsDocument = graphql(`
  query CustomerSubscriptions($id: ID!, $before: String) {
    customer(id: $id) {
      id
      subscriptions(last: 20, before: $before) {
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
  }
`);

const COLUMNS = subscriptionColumns({ withCustomer: false });

export function CustomerSubscriptions({ id }: { id: string }) {
  const list = useList({
    query: CustomerSubscriptionsDocument,
    variables: { id },
    connection: (data) => data.customer?.subscriptions,
    newestFirst: true,
  });
  return (
    <Card title="Subscriptions" flush>
      <ListTable
        label="Subscriptions of the customer"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No subscriptions yet">
            Subscribe the customer to a product to bill its usage.
          </Empty>
        }
      />
    </Card>
  );
}
