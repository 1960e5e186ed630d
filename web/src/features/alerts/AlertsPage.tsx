import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../api/generated';
import type { UsageAlertsQuery } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { RelativeTime } from '../../ui/Figures';
import { Card, PageHead, Stack } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { Allowed, IfAllowed } from '../access/permissions';
import { CustomerLink } from '../customers/CustomerName';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { useAlertsLive } from './alertsLive';
import { Level, watched } from './kinds';

const UsageAlerts = graphql(`
  query UsageAlerts($after: String, $first: Int!) {
    usageAlerts(first: $first, after: $after) {
      nodes {
        id
        name
        kind
        threshold
        enabled
        meter {
          id
          name
          unit
        }
        customer {
          id
          ...CustomerName_customer
        }
        triggers(first: 1) {
          totalCount
          nodes {
            id
            triggeredAt
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Alert = UsageAlertsQuery['usageAlerts']['nodes'][number];

const AlertNewDialog = lazy(async () => ({
  default: (await import('./AlertDialogs')).AlertNewDialog,
}));

const COLUMNS: readonly Column<Alert>[] = [
  {
    title: 'Name',
    isName: true,
    cell: ({ id, name }) => (
      <Link to="/alerts/$id" params={{ id }}>
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  {
    title: 'Watches',
    cell: ({ kind, meter }) => (
      <>
        {watched(kind)}
        {meter && (
          <>
            {' of '}
            <Link to="/meters/$id" params={{ id: meter.id }}>
              <bdi>{meter.name}</bdi>
            </Link>
          </>
        )}
      </>
    ),
  },
  {
    title: 'Threshold',
    isNumber: true,
    cell: ({ kind, threshold, meter }) => (
      <Level kind={kind} value={threshold} unit={meter?.unit ?? null} />
    ),
  },
  {
    title: 'Customers',
    isMinor: true,
    cell: ({ customer }) => (customer ? <CustomerLink customer={customer} /> : 'Each customer'),
  },
  { title: 'Triggered', isNumber: true, cell: ({ triggers }) => triggers.totalCount },
  {
    title: 'Last',
    nowrap: true,
    isMinor: true,
    cell: ({ triggers }) => {
      const last = triggers.nodes[0];
      return last ? <RelativeTime at={last.triggeredAt} /> : '–';
    },
  },
  {
    title: 'Status',
    nowrap: true,
    cell: ({ enabled }) =>
      enabled ? <Badge tone="good">On</Badge> : <Badge tone="neutral">Off</Badge>,
  },
];

export function AlertsPage() {
  return (
    <Stack>
      <PageHead
        title="Alerts"
        about="Each triggers once a customer and period, when a number reaches its threshold."
        tools={<NewAlert />}
      />
      <Allowed scope="ALERTS_READ">
        <Alerts />
      </Allowed>
    </Stack>
  );
}

function Alerts() {
  const list = useList({
    query: UsageAlerts,
    variables: { first: PAGE },
    connection: (data) => data.usageAlerts,
  });
  useAlertsLive(list.retry);
  return (
    <Card title="All alerts" flush>
      <ListTable
        label="Alerts"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No alerts yet" action={<NewAlert />}>
            An alert watches the usage, the credit or the charges of one customer or of each.
          </Empty>
        }
      />
    </Card>
  );
}

function NewAlert() {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="ALERTS_WRITE">
      <Button look="primary" onClick={() => setOpen(true)}>
        New alert
      </Button>
      <Suspense>{isOpen && <AlertNewDialog onClose={() => setOpen(false)} />}</Suspense>
    </IfAllowed>
  );
}
