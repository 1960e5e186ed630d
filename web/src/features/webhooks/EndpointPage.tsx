import { Link, useParams } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { serverNow } from '../../api/clock';
import { graphql, readFragment } from '../../api/generated';
import type { WebhookDeliveryStatus, WebhookEndpointPageQuery } from '../../api/generated/graphql';
import { Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { ToolSelect } from '../../ui/Field';
import { Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { useFollowing } from '../../ui/useFollowing';
import { Allowed } from '../access/permissions';
import { useFilters } from '../listing/filters';
import { ListTable } from '../listing/ListTable';
import { Loaded } from '../listing/Loaded';
import { PAGE, useList } from '../listing/useList';
import { DELIVERIES, DeliveryCells_delivery, type DeliveryRow } from './DeliveryCells';
import { EndpointActions } from './EndpointActions';
import { EndpointStatus } from './EndpointCells';

const WebhookEndpointPageDocument = graphql(`
  query WebhookEndpointPage($id: ID!) {
    webhookEndpoint(id: $id) {
      id
      url
      description
      eventTypes
      createdAt
      disabledAt
      disabledReason
      failingSince
      ...EndpointCells_endpoint
    }
  }
`);

const WebhookDeliveries = graphql(`
  query WebhookDeliveries(
    $after: String
    $first: Int!
    $endpointId: ID!
    $status: WebhookDeliveryStatus
  ) {
    webhookDeliveries(first: $first, after: $after, endpointId: $endpointId, status: $status) {
      nodes {
        id
        ...DeliveryCells_delivery
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Endpoint = NonNullable<WebhookEndpointPageQuery['webhookEndpoint']>;

const STATUSES: { value: WebhookDeliveryStatus | ''; label: string }[] = [
  { value: '', label: 'Any status' },
  { value: 'PENDING', label: 'Pending' },
  { value: 'DELIVERED', label: 'Delivered' },
  { value: 'FAILED', label: 'Failed' },
];
const SOON = 10_000;

export function EndpointPage() {
  return (
    <Allowed scope="WEBHOOKS_READ">
      <Found />
    </Allowed>
  );
}

function Found() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({
    query: WebhookEndpointPageDocument,
    variables: { id },
  });
  return (
    <Loaded
      what="webhook endpoint"
      value={data?.webhookEndpoint}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {(endpoint) => (
        <Page endpoint={endpoint} refresh={() => again({ requestPolicy: 'network-only' })} />
      )}
    </Loaded>
  );
}

function isSoon(row: DeliveryRow): boolean {
  const { nextAttemptAt } = readFragment(DeliveryCells_delivery, row);
  return Boolean(nextAttemptAt) && Date.parse(nextAttemptAt ?? '') < serverNow() + SOON;
}

function Page({ endpoint, refresh }: { endpoint: Endpoint; refresh(): void }) {
  const [{ status: named }, change] = useFilters();
  const status = STATUSES.find(({ value }) => value === named)?.value;
  const list = useList({
    query: WebhookDeliveries,
    variables: { first: PAGE, endpointId: endpoint.id, status: status || null },
    connection: (data) => data.webhookDeliveries,
  });
  const { retry } = list;
  // A test event may be delivered before the list is asked for it.
  const [isSent, setSent] = useState(false);
  const look = useCallback(() => {
    setSent(false);
    retry();
    refresh();
  }, [retry, refresh]);
  useFollowing(!endpoint.disabledAt && (isSent || list.rows.some(isSoon)), look);
  const { url, description, eventTypes, disabledReason, failingSince } = endpoint;
  return (
    <>
      <PageHead
        above={<Link to="/settings/webhooks">Webhooks</Link>}
        title={description ?? url}
        badge={<EndpointStatus endpoint={endpoint} />}
        about={description && <bdi>{url}</bdi>}
        tools={
          <EndpointActions
            endpoint={endpoint}
            onSent={() => {
              setSent(true);
              retry();
            }}
          />
        }
      />
      {disabledReason && (
        <ErrorPanel
          problem={{
            kind: 'refused',
            title: 'This endpoint was disabled automatically',
            advice: disabledReason,
          }}
        />
      )}
      <Card
        title="Deliveries of the last 30 days"
        flush
        tools={
          <ToolSelect
            label="Status"
            value={status ?? ''}
            options={STATUSES}
            onChange={(next) => change({ status: next })}
          />
        }
      >
        <ListTable
          label="Deliveries"
          list={list}
          columns={DELIVERIES}
          empty={
            <Empty title={status ? 'No delivery matches' : 'No deliveries yet'}>
              {status ? 'Choose another status.' : 'Send a test event to see one arrive.'}
            </Empty>
          }
        />
      </Card>
      <Card title="Details">
        <KeyValues>
          <KeyValue name="URL">
            <bdi>{url}</bdi>
          </KeyValue>
          <KeyValue name="Events">
            {eventTypes.length === 0 ? 'All' : eventTypes.join(', ')}
          </KeyValue>
          {failingSince && (
            <KeyValue name="Failing since">
              <Time at={failingSince} />
            </KeyValue>
          )}
          <KeyValue name="Created">
            <Time at={endpoint.createdAt} />
          </KeyValue>
          <KeyValue name="ID">
            <Id value={endpoint.id} label="endpoint ID" />
          </KeyValue>
        </KeyValues>
      </Card>
    </>
  );
}
