import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { useLiveStatus } from '../../api/status';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { type EventRow, eventColumns } from './EventCells';

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
  subscription EventsLive($names: [String!]) {
    eventsIngested(names: $names) {
      id
      ...EventCells_event
    }
  }
`);

const COLUMNS = eventColumns({ withCustomer: true });
/** The tail is for watching; the list below it has the rest. */
const LONGEST_TAIL = 200;

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
  const { tail, waiting } = useTail(name ?? null, isPaused, list.retry);
  const seen = new Set(tail.map(({ id }) => id));
  const rows = [...tail, ...list.rows.filter(({ id }) => !seen.has(id))];
  return (
    <Stack>
      <PageHead
        title="Events"
        about="What your application reported, as it comes in."
        tools={
          <Button onClick={() => setPaused(!isPaused)}>
            <Icon name={isPaused ? 'play' : 'pause'} size={14} />
            {isPaused ? `Resume${waiting > 0 ? ` (${waiting} new)` : ''}` : 'Pause'}
          </Button>
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
          list={{ ...list, rows }}
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

/**
 * Events that came in while one watched, newest first.
 *
 * The stream has no cursor: after a lost connection, `refill` asks for the list again.
 */
function useTail(name: string | null, isPaused: boolean, refill: () => void) {
  const client = useClient();
  const status = useLiveStatus();
  const [tail, setTail] = useState<readonly EventRow[]>([]);
  const [held, setHeld] = useState<readonly EventRow[]>([]);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const again = useRef(refill);
  again.current = refill;
  const wasLost = useRef(false);

  useEffect(() => {
    setTail([]);
    setHeld([]);
    const { unsubscribe } = client
      .subscription(EventsLive, { names: name === null ? null : [name] })
      .subscribe(({ data }) => {
        const event = data?.eventsIngested;
        if (event) {
          const keep = paused.current ? setHeld : setTail;
          keep((old) => [event, ...old].slice(0, LONGEST_TAIL));
        }
      });
    return unsubscribe;
  }, [client, name]);

  useEffect(() => {
    if (!isPaused) {
      setHeld((waiting) => {
        setTail((old) => [...waiting, ...old].slice(0, LONGEST_TAIL));
        return [];
      });
    }
  }, [isPaused]);

  useEffect(() => {
    if (status === 'live' && wasLost.current) {
      again.current();
    }
    wasLost.current = status === 'lost' || (wasLost.current && status !== 'live');
  }, [status]);

  return { tail, waiting: held.length };
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
