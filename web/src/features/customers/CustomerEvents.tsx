import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { EventsCard } from '../events/EventsCard';
import { useList } from '../listing/useList';
import { useView } from '../viewing/view';

const CustomerEventsDocument = graphql(`
  query CustomerEvents($id: ID!, $filter: EventFilter!, $after: String) {
    customer(id: $id) {
      id
      events(first: 20, after: $after, filter: $filter) {
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

/** A customer’s events in the range of the page. */
export function CustomerEvents({ id }: { id: string }) {
  const { bounds } = useView();
  const list = useList({
    query: CustomerEventsDocument,
    variables: { id, filter: { ...bounds } },
    connection: (data) => data.customer?.events,
  });
  return (
    <EventsCard
      title="Events, latest first"
      label="Events of the customer"
      list={list}
      start={bounds.start}
      ofOneCustomer
      empty={
        <Empty title="No events in this range">
          Choose other days, or send an event with this customer’s external ID.
        </Empty>
      }
    />
  );
}
