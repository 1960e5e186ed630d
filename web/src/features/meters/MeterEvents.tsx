import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { EventsCard } from '../events/EventsCard';
import { useList } from '../listing/useList';

const MeterEventsDocument = graphql(`
  query MeterEvents($meterId: ID!, $after: String) {
    meter(id: $meterId) {
      id
      events(first: 10, after: $after) {
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

/** The latest events that a meter counts. */
export function MeterEvents({ meterId }: { meterId: string }) {
  const list = useList({
    query: MeterEventsDocument,
    variables: { meterId },
    connection: (data) => data.meter?.events,
  });
  return (
    <EventsCard
      title="Latest events"
      label="Events of the meter"
      list={list}
      empty={<Empty title="No events yet">It counts events that its filter lets through.</Empty>}
    />
  );
}
