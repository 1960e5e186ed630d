import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../api/generated';
import type { WebhookEndpointPageQuery } from '../../api/generated/graphql';
import { ActionMenu } from '../../ui/aria/Menu';
import { Button } from '../../ui/Button';
import { showToast } from '../../ui/Toast';
import { IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';

const WebhookEndpointSwitch = graphql(`
  mutation WebhookEndpointSwitch($input: WebhookEndpointUpdateInput!) {
    webhookEndpointUpdate(input: $input) {
      webhookEndpoint {
        id
        disabledReason
        ...EndpointCells_endpoint
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const WebhookEndpointDelete = graphql(`
  mutation WebhookEndpointDelete($input: WebhookEndpointDeleteInput!) {
    webhookEndpointDelete(input: $input) {
      deletedId
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const WebhookEndpointTest = graphql(`
  mutation WebhookEndpointTest($input: WebhookEndpointTestInput!) {
    webhookEndpointTest(input: $input) {
      delivery {
        id
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const EndpointEditDialog = lazy(async () => ({
  default: (await import('./EndpointDialogs')).EndpointEditDialog,
}));
const RotateDialog = lazy(async () => ({ default: (await import('./RotateDialog')).RotateDialog }));

type Endpoint = NonNullable<WebhookEndpointPageQuery['webhookEndpoint']>;
type Open = 'edit' | 'test' | 'rotate' | 'switch' | 'delete';

export function EndpointActions({
  endpoint,
  onSent,
}: {
  endpoint: Endpoint;
  /** There is a new delivery. */
  onSent(): void;
}) {
  const [open, setOpen] = useState<Open | null>(null);
  const navigate = useNavigate();
  const { id, url, disabledAt } = endpoint;
  const close = () => setOpen(null);
  const isEnabled = !disabledAt;
  return (
    <IfAllowed scope="WEBHOOKS_WRITE">
      {isEnabled && <Button onClick={() => setOpen('test')}>Send test event</Button>}
      <Button onClick={() => setOpen('edit')}>Edit</Button>
      <ActionMenu
        label="More actions"
        actions={[
          { name: 'Rotate secret', run: () => setOpen('rotate') },
          { name: isEnabled ? 'Disable' : 'Enable', run: () => setOpen('switch') },
          { name: 'Delete', isDanger: true, run: () => setOpen('delete') },
        ]}
      />
      <Suspense>
        {open === 'edit' && <EndpointEditDialog endpoint={endpoint} onClose={close} />}
        {open === 'rotate' && <RotateDialog id={id} onClose={close} />}
      </Suspense>
      {open === 'test' && (
        <Confirm
          title="Send a test event?"
          action="Send test event"
          mutation={WebhookEndpointTest}
          input={{ id }}
          answer={(data) => data.webhookEndpointTest}
          isDanger={false}
          onDone={() => {
            showToast('The test event is on its way.');
            onSent();
          }}
          onClose={close}
        >
          <p>
            A request of the type <code>webhook.test</code> goes to <bdi>{url}</bdi>, once.
          </p>
        </Confirm>
      )}
      {open === 'switch' && (
        <Confirm
          title={isEnabled ? 'Disable this endpoint?' : 'Enable this endpoint?'}
          action={isEnabled ? 'Disable endpoint' : 'Enable endpoint'}
          mutation={WebhookEndpointSwitch}
          input={{ id, enabled: !isEnabled }}
          answer={(data) => data.webhookEndpointUpdate}
          isDanger={isEnabled}
          onDone={() => showToast(isEnabled ? 'It is disabled.' : 'It is enabled.')}
          onClose={close}
        >
          <p>
            {isEnabled
              ? 'What happens while it is disabled is not sent to it, also not later. Deliveries that are pending wait until it is enabled.'
              : 'It is sent what happens from now on, and deliveries that were pending.'}
          </p>
        </Confirm>
      )}
      {open === 'delete' && (
        <Confirm
          title="Delete this endpoint?"
          action="Delete endpoint"
          mutation={WebhookEndpointDelete}
          input={{ id }}
          answer={(data) => data.webhookEndpointDelete}
          onDone={() => {
            showToast('The endpoint is deleted.');
            navigate({ to: '/settings/webhooks' });
          }}
          onClose={close}
        >
          <p>Nothing more is sent to it. Its deliveries are deleted too. This cannot be undone.</p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
