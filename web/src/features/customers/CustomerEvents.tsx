import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { EventsCard } from '../events/EventsCard';
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

export function CustomerEvents({ id }: { id: string }) {
  const list = useList({
    query: CustomerEventsDocument,
    variables: { id },
    connection: (data) => data.customer?.events,
  });
  return (
    <EventsCard
      title="Events"
      label="Events of the customer"
      list={list}
      ofOneCustomer
      empty={<Empty title="No events yet">Send one with this customer’s external ID.</Empty>}
    />
  );
}
