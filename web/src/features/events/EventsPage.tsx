import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { useLiveStatus } from '../../api/status';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';
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
  subscription EventsLive($names: [String!], $after: String) {
    eventsFollowed(names: $names, after: $after) {
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
  const { name } = useSearch({ strict: false }) as { name?: string };
  const navigate = useNavigate();
  const [isPaused, setPaused] = useState(false);
  const names = name ? [name] : null;
  const list = useList({
    query: Events,
    variables: { filter: names && { names } },
    connection: (data) => data.events,
  });
  const { tail, waiting, isAhead } = useTail(name ?? null, isPaused, list.retry);
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
        about="What your application reported, as it comes in."
        tools={
          <>
            <Button onClick={() => setPaused(!isPaused)}>
              <Icon name={isPaused ? 'play' : 'pause'} size={14} />
              {isPaused ? `Resume${waitingText(waiting)}` : 'Pause'}
            </Button>
            <SendEvent />
          </>
        }
      />
      <Card
        title="Latest events"
        flush
        tools={
          <>
            <TailState isPaused={isPaused} />
            <NameSelect
              name={name ?? ''}
              onChange={(next) =>
                navigate({
                  to: '.',
                  search: (old: object) => ({ ...old, name: next || undefined }),
                  replace: true,
                })
              }
            />
          </>
        }
      >
        <ListTable
          label="Events"
          list={{ ...list, rows, more: isAhead ? undefined : list.more }}
          columns={COLUMNS}
          empty={
            <Empty title={name ? `No event is called ${name}` : 'No events yet'}>
              Your application sends events with the mutation eventsIngest. They appear here at
              once.
            </Empty>
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

/**
 * Events that came in while one watched, newest first.
 *
 * The stream resumes by cursor. When more came in than the tail holds, the tail `isAhead` and the list
 * does not follow it, until `refill` has asked for the list again.
 */
function useTail(name: string | null, isPaused: boolean, refill: () => void) {
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
    const { unsubscribe } = client
      .subscription(EventsLive, { names: name === null ? null : [name] })
      .subscribe(({ data }) => {
        if (data) {
          const latest = [data.eventsFollowed.event, ...held.current];
          hasOverflown.current ||= latest.length > LONGEST_TAIL;
          held.current = latest.slice(0, LONGEST_TAIL);
        }
      });
    return unsubscribe;
  }, [client, name]);

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
