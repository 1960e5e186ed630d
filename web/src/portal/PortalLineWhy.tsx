import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import type { PortalLineEventsQuery } from '../api/generated/graphql';
import { LineWhy } from '../features/invoices/LineWhy';
import { ListTable } from '../features/listing/ListTable';
import { useList } from '../features/listing/useList';
import { valueAt } from '../features/meters/meterValues';
import { Empty } from '../ui/Empty';
import { Time } from '../ui/Figures';
import type { Column } from '../ui/Table';

const PortalLineWhyDocument = graphql(`
  query PortalLineWhy($id: ID!, $ordinal: Int!) {
    viewer {
      id
      invoice(id: $id) {
        id
        line(ordinal: $ordinal) {
          ...LineWhy_line
        }
      }
    }
  }
`);

const PortalLineEvents = graphql(`
  query PortalLineEvents($id: ID!, $ordinal: Int!, $after: String) {
    viewer {
      id
      invoice(id: $id) {
        id
        line(ordinal: $ordinal) {
          events(first: 50, after: $after) {
            nodes {
              id
              name
              timestamp
              metadata
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

type Event = NonNullable<
  NonNullable<NonNullable<PortalLineEventsQuery['viewer']>['invoice']>['line']
>['events']['nodes'][number];

const PortalUpcomingLineWhyDocument = graphql(`
  query PortalUpcomingLineWhy($ordinal: Int!) {
    viewer {
      id
      subscriptions(first: 50) {
        nodes {
          id
          upcomingInvoice {
            line(ordinal: $ordinal) {
              ...LineWhy_line
            }
          }
        }
      }
    }
  }
`);

/** Why a line of one of the customer's invoices is as much as it is. */
export function PortalLineWhy({
  id,
  ordinal,
  onClose,
}: {
  id: string;
  ordinal: number;
  onClose(): void;
}) {
  const [{ data, error }, again] = useQuery({
    query: PortalLineWhyDocument,
    variables: { id, ordinal },
  });
  const line = data && (data.viewer?.invoice?.line ?? null);
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

/** Why a line of a subscription's next invoice would be as much as it is. */
export function PortalUpcomingLineWhy({
  id,
  ordinal,
  onClose,
}: {
  /** The subscription. */
  id: string;
  ordinal: number;
  onClose(): void;
}) {
  const [{ data, error }, again] = useQuery({
    query: PortalUpcomingLineWhyDocument,
    variables: { ordinal },
    // The invoice moves with the usage.
    requestPolicy: 'cache-and-network',
  });
  const subscriptions = data && (data.viewer?.subscriptions.nodes ?? []);
  const found = subscriptions?.find((subscription) => subscription.id === id);
  const line = subscriptions && (found?.upcomingInvoice?.line ?? null);
  return <LineWhy line={line} error={error} again={again} onClose={onClose} />;
}

function Events({ property, ...of }: { id: string; ordinal: number; property: string | null }) {
  const list = useList({
    query: PortalLineEvents,
    variables: of,
    connection: (data) => data.viewer?.invoice?.line?.events,
  });
  const columns = useMemo(() => eventColumns(property), [property]);
  return (
    <ListTable
      label="Events of the line"
      list={list}
      columns={columns}
      empty={<Empty title="No events">Nothing was used.</Empty>}
    />
  );
}

function eventColumns(property: string | null): Column<Event>[] {
  const columns: Column<Event>[] = [
    { title: 'Time', nowrap: true, cell: ({ timestamp }) => <Time at={timestamp} moment /> },
    { title: 'Event', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
  ];
  if (property !== null) {
    columns.push({
      title: `Value of ${property}`,
      isNumber: true,
      cell: (event) => {
        const value = valueAt(event, property);
        return value == null ? '–' : String(value);
      },
    });
  }
  return columns;
}
