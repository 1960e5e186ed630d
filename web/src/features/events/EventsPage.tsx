import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { useLiveStatus } from '../../api/status';
import { type Bounds, boundsOf, daysRange } from '../../format/ranges';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { useZone } from '../../ui/zone';
import { IfAllowed } from '../access/permissions';
import { CustomerFilter } from '../customers/CustomerFilter';
import { DaysFilter } from '../listing/DaysFilter';
import { useFilters } from '../listing/filters';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { type EventRow, eventColumns } from './EventCells';

const SendEventDialog = lazy(async () => ({
  default: (await import('./SendEventDialog')).SendEventDialog,
}));

const Events = graphql(`
  query Events($after: String, $filter: EventFilter) {
    events(first: 50, after: $after, filter: $filter) {
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

const EventNames = graphql(`
  query EventNames {
    eventNames {
      name
      occurrences
    }
  }
`);

const EventsLive = graphql(`
  subscription EventsLive($names: [String!], $customerId: ID, $after: String) {
    eventsFollowed(names: $names, customerId: $customerId, after: $after) {
      event {
        id
        ...EventCells_event
      }
      cursor
    }
  }
`);

const COLUMNS = eventColumns({ withCustomer: true });
/** The tail is for watching; more in one go, and the list is asked for again once it is quiet. */
const LONGEST_TAIL = 100;
/** Nobody reads faster. */
const MOVES_EVERY = 400;

export function EventsPage() {
  const [{ name = '', customer, from = '', to = '' }, change] = useFilters();
  const days = useDays(from, to);
  const [isPaused, setPaused] = useState(false);
  const isFiltered = Boolean(name || customer || days);
  // Days of one’s choice stand still.
  const isLive = days === null;
  const list = useList({
    query: Events,
    variables: {
      filter: {
        names: name ? [name] : null,
        customerId: customer ?? null,
        start: days?.start ?? null,
        end: days?.end ?? null,
      },
    },
    connection: (data) => data.events,
  });
  const { tail, waiting, isAhead } = useTail({
    name,
    customer: customer ?? '',
    isLive,
    isPaused,
    refill: list.retry,
  });
  const rows = useMemo(() => {
    if (isAhead) {
      return tail;
    }
    const seen = new Set(tail.map(({ id }) => id));
    return [...tail, ...list.rows.filter(({ id }) => !seen.has(id))];
  }, [tail, list.rows, isAhead]);
  return (
    <Stack>
      <PageHead
        title="Events"
        about="What your application reports, as it arrives."
        tools={
          <>
            {isLive && (
              <Button onClick={() => setPaused(!isPaused)}>
                <Icon name={isPaused ? 'play' : 'pause'} size={14} />
                {isPaused ? `Resume${waitingText(waiting)}` : 'Pause'}
              </Button>
            )}
            <SendEvent />
          </>
        }
      />
      <Card
        title="Latest events"
        flush
        tools={
          <>
            {isLive && <TailState isPaused={isPaused} />}
            <NameSelect name={name} onChange={(next) => change({ name: next })} />
            <CustomerFilter />
            <DaysFilter />
          </>
        }
      >
        <ListTable
          label="Events"
          list={{ ...list, rows, more: isAhead ? undefined : list.more }}
          columns={COLUMNS}
          empty={
            isFiltered ? (
              <Empty title="No event matches">
                Choose other days, all names, or all customers.
              </Empty>
            ) : (
              <Empty title="No events yet">
                Your application sends events with the mutation eventsIngest. They appear here as
                they arrive.
              </Empty>
            )
          }
        />
      </Card>
    </Stack>
  );
}

function waitingText(waiting: number): string {
  if (waiting === 0) {
    return '';
  }
  return waiting === LONGEST_TAIL ? ` (${waiting} or more new)` : ` (${waiting} new)`;
}

/** The bounds of the days in the address; null without any. */
function useDays(from: string, to: string): Bounds | null {
  const zone = useZone();
  const range = daysRange(from, to);
  return range && boundsOf(range, zone, 0);
}

/**
 * Events that came in while one watched, newest first.
 *
 * The stream resumes by cursor. When more came in than the tail holds, the tail `isAhead` and the list
 * does not follow it, until `refill` has asked for the list again.
 */
function useTail({
  name,
  customer,
  isLive,
  isPaused,
  refill,
}: {
  /** Empty for all. */
  name: string;
  customer: string;
  isLive: boolean;
  isPaused: boolean;
  refill(): void;
}) {
  const client = useClient();
  const [tail, setTail] = useState<readonly EventRow[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [isAhead, setAhead] = useState(false);
  const hasOverflown = useRef(false);
  const size = useRef(0);
  const held = useRef<EventRow[]>([]);
  const again = useRef(refill);
  again.current = refill;

  useEffect(() => {
    held.current = [];
    hasOverflown.current = false;
    size.current = 0;
    setTail([]);
    setAhead(false);
    if (!isLive) {
      return undefined;
    }
    const { unsubscribe } = client
      .subscription(EventsLive, { names: name ? [name] : null, customerId: customer || null })
      .subscribe(({ data }) => {
        if (data) {
          const latest = [data.eventsFollowed.event, ...held.current];
          hasOverflown.current ||= latest.length > LONGEST_TAIL;
          held.current = latest.slice(0, LONGEST_TAIL);
        }
      });
    return unsubscribe;
  }, [client, name, customer, isLive]);

  useEffect(() => {
    const timer = setInterval(() => {
      if (isPaused) {
        setWaiting(held.current.length);
      } else if (held.current.length > 0) {
        const latest = held.current;
        held.current = [];
        size.current += latest.length;
        hasOverflown.current ||= size.current > LONGEST_TAIL;
        setAhead(hasOverflown.current);
        // After the list was asked for again, it has what came before.
        const isFirst = size.current === latest.length;
        setTail((old) => (isFirst ? latest : [...latest, ...old].slice(0, LONGEST_TAIL)));
      } else if (hasOverflown.current) {
        hasOverflown.current = false;
        size.current = 0;
        again.current();
        setAhead(false);
      }
    }, MOVES_EVERY);
    return () => {
      clearInterval(timer);
      setWaiting(0);
    };
  }, [isPaused]);

  return { tail, waiting, isAhead };
}

function TailState({ isPaused }: { isPaused: boolean }) {
  const status = useLiveStatus();
  if (isPaused) {
    return <Badge>Paused</Badge>;
  }
  return status === 'lost' ? (
    <Badge tone="warn">Reconnecting</Badge>
  ) : (
    <Badge tone="good" dot>
      Live
    </Badge>
  );
}

function SendEvent() {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="EVENTS_WRITE">
      <Button onClick={() => setOpen(true)}>Send test event</Button>
      <Suspense>{isOpen && <SendEventDialog onClose={() => setOpen(false)} />}</Suspense>
    </IfAllowed>
  );
}

function NameSelect({ name, onChange }: { name: string; onChange(name: string): void }) {
  const [{ data }] = useQuery({ query: EventNames });
  const known = data?.eventNames.map((each) => each.name) ?? [];
  const names = name && !known.includes(name) ? [name, ...known] : known;
  return (
    <ToolSelect
      label="Event name"
      value={name}
      options={[
        { value: '', label: 'All names' },
        ...names.map((value) => ({ value, label: value })),
      ]}
      onChange={onChange}
    />
  );
}
