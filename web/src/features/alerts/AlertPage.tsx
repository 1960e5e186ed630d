import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { UsageAlertPageQuery } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { Allowed, IfAllowed } from '../access/permissions';
import { History } from '../audit/History';
import { CustomerLink } from '../customers/CustomerName';
import { Confirm } from '../forms/Confirm';
import { ListTable } from '../listing/ListTable';
import { Loaded } from '../listing/Loaded';
import { PAGE, useList } from '../listing/useList';
import { useAlertsLive } from './alertsLive';
import { Level, watched } from './kinds';
import { triggerColumns } from './TriggerCells';

const UsageAlertPageDocument = graphql(`
  query UsageAlertPage($id: ID!) {
    node(id: $id) {
      id
      ... on UsageAlert {
        name
        kind
        threshold
        currency
        enabled
        createdAt
        meter {
          id
          name
          unit
        }
        customer {
          id
          ...CustomerName_customer
        }
      }
    }
  }
`);

const UsageAlertTriggers = graphql(`
  query UsageAlertTriggers($id: ID!, $first: Int!, $after: String) {
    node(id: $id) {
      id
      ... on UsageAlert {
        triggers(first: $first, after: $after) {
          nodes {
            id
            ...TriggerCells_trigger
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

const UsageAlertSwitch = graphql(`
  mutation UsageAlertSwitch($input: UsageAlertUpdateInput!) {
    usageAlertUpdate(input: $input) {
      alert {
        id
        enabled
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const UsageAlertDelete = graphql(`
  mutation UsageAlertDelete($input: UsageAlertDeleteInput!) {
    usageAlertDelete(input: $input) {
      deletedId
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const AlertEditDialog = lazy(async () => ({
  default: (await import('./AlertDialogs')).AlertEditDialog,
}));

type Alert = Extract<NonNullable<UsageAlertPageQuery['node']>, { threshold: string }>;

const COLUMNS = triggerColumns({ of: 'alert' });

export function AlertPage() {
  return (
    <Allowed scope="ALERTS_READ">
      <Found />
    </Allowed>
  );
}

function Found() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: UsageAlertPageDocument, variables: { id } });
  const refresh = () => again({ requestPolicy: 'network-only' });
  const node = data?.node;
  const value = node === undefined ? undefined : node && 'threshold' in node ? node : null;
  return (
    <Loaded what="alert" value={value} error={error} onRetry={refresh}>
      {(alert) => <Page alert={alert} />}
    </Loaded>
  );
}

function Page({ alert }: { alert: Alert }) {
  const { id, name, kind, threshold, currency, enabled, meter, customer } = alert;
  const list = useList({
    query: UsageAlertTriggers,
    variables: { id, first: PAGE },
    connection: ({ node }) => (node && 'triggers' in node ? node.triggers : null),
  });
  useAlertsLive(list.retry);
  return (
    <>
      <PageHead
        above={<Link to="/alerts">Alerts</Link>}
        title={name}
        badge={enabled ? <Badge tone="good">On</Badge> : <Badge tone="neutral">Off</Badge>}
        about={
          <>
            {watched(kind)}{' '}
            {meter && (
              <>
                of{' '}
                <Link to="/meters/$id" params={{ id: meter.id }}>
                  <bdi>{meter.name}</bdi>
                </Link>{' '}
              </>
            )}
            at{' '}
            <Level
              kind={kind}
              value={threshold}
              unit={meter?.unit ?? null}
              currency={currency ?? null}
            />
            , for {customer ? <CustomerLink customer={customer} /> : 'each customer'}
          </>
        }
        tools={<Actions alert={alert} onChanged={list.retry} />}
      />
      <Card title="Triggered" flush>
        <ListTable
          label="Triggers of the alert"
          list={list}
          columns={COLUMNS}
          empty={
            <Empty title="It has not triggered yet">
              When a customer reaches the threshold, that appears here at once.
            </Empty>
          }
        />
      </Card>
      <Card title="Details">
        <KeyValues>
          <KeyValue name="Created">
            <Time at={alert.createdAt} />
          </KeyValue>
          <KeyValue name="ID">
            <Id value={id} label="alert ID" />
          </KeyValue>
        </KeyValues>
      </Card>
      <History id={id} />
    </>
  );
}

function Actions({ alert, onChanged }: { alert: Alert; onChanged(): void }) {
  const [open, setOpen] = useState<'edit' | 'switch' | 'delete' | null>(null);
  const navigate = useNavigate();
  const { id, name, enabled } = alert;
  const close = () => setOpen(null);
  return (
    <IfAllowed scope="ALERTS_WRITE">
      <Button onClick={() => setOpen('edit')}>Edit</Button>
      <Button onClick={() => setOpen('switch')}>{enabled ? 'Disable' : 'Enable'}</Button>
      <Button onClick={() => setOpen('delete')}>Delete</Button>
      <Suspense>
        {open === 'edit' && <AlertEditDialog alert={alert} onDone={onChanged} onClose={close} />}
      </Suspense>
      {open === 'switch' && (
        <Confirm
          title={enabled ? 'Disable this alert?' : 'Enable this alert?'}
          action={enabled ? 'Disable alert' : 'Enable alert'}
          mutation={UsageAlertSwitch}
          input={{ id, enabled: !enabled }}
          answer={(data) => data.usageAlertUpdate}
          isDanger={false}
          onDone={() => {
            showToast(enabled ? 'The alert is disabled.' : 'The alert is enabled.');
            onChanged();
          }}
          onClose={close}
        >
          <p>
            {enabled
              ? 'It does not trigger until it is enabled again.'
              : 'It triggers at once for customers who have reached the threshold meanwhile.'}
          </p>
        </Confirm>
      )}
      {open === 'delete' && (
        <Confirm
          title="Delete this alert?"
          action="Delete alert"
          mutation={UsageAlertDelete}
          input={{ id }}
          answer={(data) => data.usageAlertDelete}
          onDone={() => {
            showToast('The alert is deleted.');
            navigate({ to: '/alerts' });
          }}
          onClose={close}
        >
          <p>
            <bdi>{name}</bdi> is deleted with the list of what has triggered it. To keep that,
            disable the alert.
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
