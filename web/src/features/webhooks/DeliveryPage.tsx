import { Link, useParams } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { WebhookDeliveryPageQuery } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Code, Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { Time } from '../../ui/Figures';
import { Card, Columns, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { showToast } from '../../ui/Toast';
import { useFollowing } from '../../ui/useFollowing';
import { Allowed, IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';
import { Loaded } from '../listing/Loaded';
import { DeliveryStatus } from './DeliveryCells';

const WebhookDeliveryPageDocument = graphql(`
  query WebhookDeliveryPage($id: ID!) {
    webhookDelivery(id: $id) {
      id
      webhookId
      eventType
      status
      payload
      createdAt
      nextAttemptAt
      attempts {
        at
        status
        milliseconds
        error
      }
      endpoint {
        id
        url
        description
        disabledAt
      }
    }
  }
`);

const WebhookDeliveryResend = graphql(`
  mutation WebhookDeliveryResend($input: WebhookDeliveryResendInput!) {
    webhookDeliveryResend(input: $input) {
      delivery {
        id
        status
        nextAttemptAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

type Delivery = NonNullable<WebhookDeliveryPageQuery['webhookDelivery']>;
type Attempt = Delivery['attempts'][number];

const ATTEMPTS: readonly Column<Attempt>[] = [
  { title: 'Sent', isName: true, nowrap: true, cell: ({ at }) => <Time at={at} moment /> },
  {
    title: 'Result',
    nowrap: true,
    cell: ({ error }) =>
      error ? <Badge tone="bad">Failed</Badge> : <Badge tone="good">Delivered</Badge>,
  },
  { title: 'Answer', cell: ({ error, status }) => error ?? `HTTP status ${status}.` },
  { title: 'Milliseconds', isNumber: true, cell: ({ milliseconds }) => milliseconds },
];

export function DeliveryPage() {
  return (
    <Allowed scope="WEBHOOKS_READ">
      <Found />
    </Allowed>
  );
}

function Found() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({
    query: WebhookDeliveryPageDocument,
    variables: { id },
  });
  const delivery = data?.webhookDelivery;
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  useFollowing(delivery?.status === 'PENDING' && !delivery.endpoint.disabledAt, refresh);
  return (
    <Loaded what="delivery" value={delivery} error={error} onRetry={refresh}>
      {(found) => <Page delivery={found} />}
    </Loaded>
  );
}

function Page({ delivery }: { delivery: Delivery }) {
  const { endpoint, attempts, nextAttemptAt } = delivery;
  return (
    <>
      <PageHead
        above={
          <Link to="/settings/webhooks/$id" params={{ id: endpoint.id }}>
            <bdi>{endpoint.description ?? endpoint.url}</bdi>
          </Link>
        }
        title={delivery.eventType}
        badge={<DeliveryStatus status={delivery.status} />}
        about={
          nextAttemptAt && (
            <>
              Next try: <Time at={nextAttemptAt} moment />
            </>
          )
        }
        tools={!endpoint.disabledAt && <Resend id={delivery.id} />}
      />
      <Card title="Tries" flush>
        <Table
          label="Tries"
          columns={ATTEMPTS}
          rows={attempts}
          keyOf={({ at }) => at}
          empty={<Empty title="Not tried yet">The request is sent in a moment.</Empty>}
        />
      </Card>
      <Columns>
        <Card title="Payload">
          <Code label="payload" text={JSON.stringify(delivery.payload, null, 2)} />
        </Card>
        <Card title="Details">
          <KeyValues>
            <KeyValue name="URL">
              <bdi>{endpoint.url}</bdi>
            </KeyValue>
            <KeyValue name="Created">
              <Time at={delivery.createdAt} />
            </KeyValue>
            <KeyValue name="webhook-id">
              <Id value={delivery.webhookId} label="webhook-id" />
            </KeyValue>
            <KeyValue name="ID">
              <Id value={delivery.id} label="delivery ID" />
            </KeyValue>
          </KeyValues>
        </Card>
      </Columns>
    </>
  );
}

function Resend({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="WEBHOOKS_WRITE">
      <Button onClick={() => setOpen(true)}>Send again</Button>
      {isOpen && (
        <Confirm
          title="Send this again?"
          action="Send again"
          mutation={WebhookDeliveryResend}
          input={{ id }}
          answer={(data) => data.webhookDeliveryResend}
          isDanger={false}
          onDone={() => showToast('It is sent again.')}
          onClose={() => setOpen(false)}
        >
          <p>
            The receiver gets the same message with the same <code>webhook-id</code>. One that has
            seen it should ignore it.
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
