import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { Allowed, IfAllowed } from '../access/permissions';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { ENDPOINTS } from './EndpointCells';

const WebhookEndpoints = graphql(`
  query WebhookEndpoints($after: String, $first: Int!) {
    webhookEndpoints(first: $first, after: $after) {
      nodes {
        id
        ...EndpointCells_endpoint
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const EndpointNewDialog = lazy(async () => ({
  default: (await import('./EndpointDialogs')).EndpointNewDialog,
}));

export function WebhooksPage() {
  return (
    <Stack>
      <PageHead
        above={<Link to="/settings">Settings</Link>}
        title="Webhooks"
        about="Signed requests that tell your systems what happens here."
        tools={<NewEndpoint />}
      />
      <Allowed scope="WEBHOOKS_READ">
        <Endpoints />
      </Allowed>
    </Stack>
  );
}

function Endpoints() {
  const list = useList({
    query: WebhookEndpoints,
    variables: { first: PAGE },
    connection: (data) => data.webhookEndpoints,
  });
  return (
    <Card title="Endpoints" flush>
      <ListTable
        label="Webhook endpoints"
        list={list}
        columns={ENDPOINTS}
        empty={
          <Empty title="No endpoints yet" action={<NewEndpoint />}>
            An endpoint is a URL of yours. It is sent what happens from the moment it is created.
          </Empty>
        }
      />
    </Card>
  );
}

function NewEndpoint() {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="WEBHOOKS_WRITE">
      <Button look="primary" onClick={() => setOpen(true)}>
        New endpoint
      </Button>
      <Suspense>{isOpen && <EndpointNewDialog onClose={() => setOpen(false)} />}</Suspense>
    </IfAllowed>
  );
}
