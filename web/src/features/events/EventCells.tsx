import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import { valueAt } from '../meters/meterValues';
import { EventState } from './EventState';
import styles from './Events.module.css';

export const EventCells_event = graphql(`
  fragment EventCells_event on Event {
    id
    name
    timestamp
    processedAt
    voidedAt
    metadata
    customer {
      id
      ...CustomerName_customer
    }
  }
`);

export type EventRow = { id: string } & FragmentType<typeof EventCells_event>;

const SHOWN_KEYS = 4;

export function eventColumns({
  withCustomer,
  property = null,
}: {
  withCustomer: boolean;
  /** What a meter aggregates. */
  property?: string | null;
}): Column<EventRow>[] {
  const columns: Column<EventRow>[] = [
    {
      title: 'Time',
      nowrap: true,
      cell: (row) => <Time at={readFragment(EventCells_event, row).timestamp} moment />,
    },
    {
      title: 'Event',
      nowrap: true,
      cell: (row) => {
        const { id, name, voidedAt } = readFragment(EventCells_event, row);
        return (
          <Link to="/events/$id" params={{ id }} className={styles.short}>
            <bdi>{voidedAt ? <s>{name}</s> : name}</bdi>
          </Link>
        );
      },
    },
    {
      title: 'Customer',
      cell: (row) => (
        <span className={styles.short}>
          <CustomerLink customer={readFragment(EventCells_event, row).customer} />
        </span>
      ),
    },
    {
      title: 'Metadata',
      isMinor: true,
      isName: true,
      cell: (row) => <Metadata metadata={readFragment(EventCells_event, row).metadata} />,
    },
    {
      title: 'State',
      isMinor: true,
      nowrap: true,
      cell: (row) => <EventState {...readFragment(EventCells_event, row)} />,
    },
  ];
  if (property !== null) {
    columns.splice(-2, 0, {
      title: `Value of ${property}`,
      isNumber: true,
      cell: (row) => {
        const value = valueAt(readFragment(EventCells_event, row), property);
        return value == null ? '–' : shortText(value);
      },
    });
  }
  return withCustomer ? columns : columns.filter(({ title }) => title !== 'Customer');
}

function Metadata({ metadata }: { metadata: Record<string, unknown> }) {
  const entries = Object.entries(metadata);
  const rest = entries.length - SHOWN_KEYS;
  return (
    <span className={styles.metadata}>
      {entries.slice(0, SHOWN_KEYS).map(([key, value]) => (
        <span key={key}>
          <span className={styles.key}>{key}</span> {shortText(value)}
        </span>
      ))}
      {rest > 0 && <span className={styles.key}>+{rest}</span>}
    </span>
  );
}

function shortText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
