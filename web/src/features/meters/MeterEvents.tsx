import { graphql } from '../../api/generated';
import type { Bounds } from '../../format/ranges';
import { Empty } from '../../ui/Empty';
import { EventsCard } from '../events/EventsCard';
import { useList } from '../listing/useList';

const MeterEventsDocument = graphql(`
  query MeterEvents($filter: EventFilter!, $after: String) {
    events(first: 10, after: $after, filter: $filter) {
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
`);

/** What a meter counts in a range, of everybody or of one customer. */
export function MeterEvents({
  meterId,
  property,
  bounds,
  customerId,
}: {
  meterId: string;
  /** Whose values it aggregates. */
  property: string | null;
  bounds: Bounds;
  customerId: string | null;
}) {
  const list = useList({
    query: MeterEventsDocument,
    variables: { filter: { meterId, customerId, ...bounds } },
    connection: (data) => data.events,
  });
  return (
    <EventsCard
      title="Counted events, latest first"
      label="Events of the meter"
      list={list}
      start={bounds.start}
      ofOneCustomer={customerId !== null}
      property={property}
      empty={
        <Empty title="No events in this range">
          No stored event of these days matches the meter’s filter.
        </Empty>
      }
    />
  );
}
