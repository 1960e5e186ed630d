import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { formatInstant } from '../../format/time';
import { Button } from '../../ui/Button';
import { Code, Id } from '../../ui/Code';
import { Time } from '../../ui/Figures';
import { Card, Columns, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { useZone } from '../../ui/zone';
import { IfAllowed } from '../access/permissions';
import { History } from '../audit/History';
import { CustomerLink } from '../customers/CustomerName';
import { Loaded } from '../listing/Loaded';
import { useEventsFrom } from '../viewing/eventsFrom';
import { EventState } from './EventState';

const VoidEventsDialog = lazy(async () => ({
  default: (await import('./VoidEventsDialog')).VoidEventsDialog,
}));

const EventPageDocument = graphql(`
  query EventPage($id: ID!) {
    event(id: $id) {
      id
      externalId
      name
      timestamp
      receivedAt
      processedAt
      voidedAt
      voidReason
      metadata
      customer {
        id
        ...CustomerName_customer
      }
      meters {
        id
        name
      }
    }
  }
`);

export function EventPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: EventPageDocument, variables: { id } });
  const zone = useZone();
  const eventsFrom = useEventsFrom();
  return (
    <Loaded
      what="event"
      value={data?.event}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
      nothing={
        eventsFrom &&
        `Or it happened before ${formatInstant(eventsFrom, zone)}: events from before are archived. They count, but have no page.`
      }
    >
      {(event) => (
        <>
          <PageHead
            above={<Link to="/events">Events</Link>}
            title={event.name}
            badge={<EventState {...event} />}
            tools={!event.voidedAt && <VoidEvent id={event.id} />}
          />
          <Columns>
            <Card title="Event">
              <KeyValues>
                <KeyValue name="Happened">
                  <Time at={event.timestamp} />
                </KeyValue>
                <KeyValue name="Received">
                  <Time at={event.receivedAt} />
                </KeyValue>
                {event.voidedAt && (
                  <>
                    <KeyValue name="Voided">
                      <Time at={event.voidedAt} />
                    </KeyValue>
                    <KeyValue name="Reason">
                      <bdi>{event.voidReason}</bdi>
                    </KeyValue>
                  </>
                )}
                <KeyValue name="Customer">
                  <CustomerLink customer={event.customer} />
                </KeyValue>
                <KeyValue name="Counted by">
                  {event.meters.length === 0
                    ? 'No meter'
                    : event.meters.map((meter, place) => (
                        <span key={meter.id}>
                          {place > 0 && ', '}
                          <Link to="/meters/$id" params={{ id: meter.id }}>
                            <bdi>{meter.name}</bdi>
                          </Link>
                        </span>
                      ))}
                </KeyValue>
                {event.externalId && (
                  <KeyValue name="External ID">
                    <Id value={event.externalId} label="external ID" />
                  </KeyValue>
                )}
                <KeyValue name="ID">
                  <Id value={event.id} label="event ID" />
                </KeyValue>
              </KeyValues>
            </Card>
            <Card title="Metadata">
              <Code label="metadata" text={JSON.stringify(event.metadata, null, 2)} />
            </Card>
          </Columns>
          {event.voidedAt && <History id={event.id} />}
        </>
      )}
    </Loaded>
  );
}

function VoidEvent({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Button onClick={() => setOpen(true)}>Void…</Button>
      <Suspense>
        {isOpen && <VoidEventsDialog ids={[id]} onClose={() => setOpen(false)} />}
      </Suspense>
    </IfAllowed>
  );
}
