import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { useList } from '../listing/useList';
import { LineEvents } from './LineEvents';
import { LineWhy } from './LineWhy';

const UpcomingLineWhyDocument = graphql(`
  query UpcomingLineWhy($id: ID!, $ordinal: Int!) {
    subscription(id: $id) {
      id
      upcomingInvoice {
        line(ordinal: $ordinal) {
          ...LineWhy_line
        }
      }
    }
  }
`);

const UpcomingLineEvents = graphql(`
  query UpcomingLineEvents($id: ID!, $ordinal: Int!, $after: String) {
    subscription(id: $id) {
      id
      upcomingInvoice {
        line(ordinal: $ordinal) {
          events(first: 50, after: $after) {
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
    }
  }
`);

/** Why a line of a subscription's next invoice would be as much as it is. */
export function UpcomingLineWhy({
  id,
  ordinal,
  onClose,
}: {
  id: string;
  ordinal: number;
  onClose(): void;
}) {
  const [{ data, error }, again] = useQuery({
    query: UpcomingLineWhyDocument,
    variables: { id, ordinal },
    // The invoice moves with the usage.
    requestPolicy: 'cache-and-network',
  });
  const upcoming = data?.subscription && (data.subscription.upcomingInvoice ?? null);
  const line = upcoming && (upcoming.line ?? null);
  return (
    <LineWhy
      line={line}
      error={error}
      again={again}
      events={(property) => <Events id={id} ordinal={ordinal} property={property} />}
      onClose={onClose}
    />
  );
}

function Events({ property, ...of }: { id: string; ordinal: number; property: string | null }) {
  const list = useList({
    query: UpcomingLineEvents,
    variables: of,
    connection: (data) => data.subscription?.upcomingInvoice?.line?.events,
  });
  return <LineEvents list={list} property={property} />;
}
