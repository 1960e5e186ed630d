import { Link, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Badge } from '../../ui/Badge';
import { Code, Id } from '../../ui/Code';
import { Time } from '../../ui/Figures';
import { Card, Columns, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { CustomerLink } from '../customers/CustomerName';
import { Loaded } from '../listing/Loaded';

const EventPageDocument = graphql(`
  query EventPage($id: ID!) {
    event(id: $id) {
      id
      externalId
      name
      timestamp
      receivedAt
      processedAt
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
  return (
    <Loaded
      what="event"
      value={data?.event}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {(event) => (
        <>
          <PageHead
            above={<Link to="/events">Events</Link>}
            title={event.name}
            badge={
              event.processedAt ? (
                <Badge tone="good">Counted</Badge>
              ) : (
                <Badge tone="warn">Waiting</Badge>
              )
            }
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
        </>
      )}
    </Loaded>
  );
}
