import { lazy, Suspense, useMemo, useState } from 'react';
import { useQuery } from 'urql';
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
import { ArchivedBefore } from './ArchivedBefore';
import { LONGEST_TAIL, useTail } from './useTail';
import { useSelection, VoidSelected } from './VoidSelected';

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

const VOIDED = [
  { value: '', label: 'All events' },
  { value: 'without', label: 'Without voided' },
  { value: 'only', label: 'Only voided' },
];

export function EventsPage() {
  const [{ name = '', customer, from = '', to = '', voided = '' }, change] = useFilters();
  const days = useDays(from, to);
  const [isPaused, setPaused] = useState(false);
  const isFiltered = Boolean(name || customer || days || voided);
  // Days of one’s choice stand still, and what arrives is not voided.
  const isLive = days === null && voided !== 'only';
  const list = useList({
    query: Events,
    variables: {
      filter: {
        names: name ? [name] : null,
        customerId: customer ?? null,
        start: days?.start ?? null,
        end: days?.end ?? null,
        voided: voided ? voided === 'only' : null,
      },
    },
    connection: (data) => data.events,
  });
  const { tail, waiting, isAhead, restart } = useTail({
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
  const { columns, selected, clear } = useSelection(rows);
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
            <ToolSelect
              label="Voided events"
              value={voided}
              options={VOIDED}
              onChange={(next) => change({ voided: next })}
            />
            <CustomerFilter />
            <DaysFilter />
          </>
        }
      >
        <ListTable
          label="Events"
          list={{ ...list, rows, more: isAhead ? undefined : list.more }}
          columns={columns}
          empty={
            isFiltered ? (
              <Empty title="No event matches">Choose other days or another filter.</Empty>
            ) : (
              <Empty title="No events yet">
                Your application sends events with the mutation eventsIngest. They appear here as
                they arrive.
              </Empty>
            )
          }
        />
        <ArchivedBefore start={days?.start ?? null} isEnd={!list.more && !list.loading} />
        {selected.length > 0 && (
          <VoidSelected
            ids={selected}
            onClear={clear}
            onDone={() => {
              clear();
              restart();
            }}
          />
        )}
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
