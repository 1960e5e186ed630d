import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { useList } from '../listing/useList';
import { LineEvents } from './LineEvents';
import { LineWhy } from './LineWhy';

const InvoiceLineWhyDocument = graphql(`
  query InvoiceLineWhy($id: ID!, $ordinal: Int!) {
    invoice(id: $id) {
      id
      line(ordinal: $ordinal) {
        ...LineWhy_line
      }
    }
  }
`);

const InvoiceLineEvents = graphql(`
  query InvoiceLineEvents($id: ID!, $ordinal: Int!, $after: String) {
    invoice(id: $id) {
      id
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
`);

/** Why a line of an invoice is as much as it is, for people of the organization. */
export function InvoiceLineWhy({
  id,
  ordinal,
  onClose,
}: {
  id: string;
  ordinal: number;
  onClose(): void;
}) {
  const [{ data, error }, again] = useQuery({
    query: InvoiceLineWhyDocument,
    variables: { id, ordinal },
  });
  const line = data?.invoice && (data.invoice.line ?? null);
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
    query: InvoiceLineEvents,
    variables: of,
    connection: (data) => data.invoice?.line?.events,
  });
  return <LineEvents list={list} property={property} />;
}
