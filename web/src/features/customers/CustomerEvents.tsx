import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card } from '../../ui/Surface';
import { eventColumns } from '../events/EventCells';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';

const CustomerEventsDocument = graphql(`
  query CustomerEvents($id: ID!, $after: String) {
    customer(id: $id) {
      id
      events(first: 20, after: $after) {
        nodes {
          id
          ...EventCells_event
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const COLUMNS = eventColumns({ withCustomer: false });

export function CustomerEvents({ id }: { id: string }) {
  const list = useList({
    query: CustomerEventsDocument,
    variables: { id },
    connection: (data) => data.customer?.events,
  });
  return (
    <Card title="Events" flush>
      <ListTable
        label="Events of the customer"
        list={list}
        columns={COLUMNS}
        empty={<Empty title="No events yet">Send one with this customer’s external ID.</Empty>}
      />
    </Card>
  );
}
