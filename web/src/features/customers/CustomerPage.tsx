import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { Scope } from '../../api/generated/graphql';
import { Id } from '../../ui/Code';
import { Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues, PageHead, Stack } from '../../ui/Surface';
import { type Tab, Tabs } from '../../ui/Tabs';
import { Allowed, IfAllowed, usePermission } from '../access/permissions';
import { History } from '../audit/History';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import { ViewTools } from '../viewing/ViewTools';
import { CustomerActions } from './CustomerActions';
import { CustomerAlerts } from './CustomerAlerts';
import { CustomerCredits } from './CustomerCredits';
import { CustomerErased } from './CustomerErased';
import { CustomerEstimate } from './CustomerEstimate';
import { CustomerEvents } from './CustomerEvents';
import { CustomerInvoices } from './CustomerInvoices';
import { customerName } from './CustomerName';
import { CustomerOverTime } from './CustomerOverTime';
import { CustomerSubscriptions } from './CustomerSubscriptions';
import { CustomerUsageCard } from './CustomerUsage';

const CustomerPageDocument = graphql(`
  query CustomerPage($id: ID!) {
    customer(id: $id) {
      id
      externalId
      email
      createdAt
      erasedAt
      ...CustomerActions_customer
      ...CustomerErased_customer
      ...CustomerName_customer
    }
  }
`);

type Part = 'usage' | 'credits' | 'subscriptions' | 'invoices' | 'events' | 'alerts';

/** A part, and the scopes that it needs. */
type PartTab = Tab<Part> & { scopes: readonly [Scope, ...Scope[]] };

const USAGE: PartTab = { key: 'usage', title: 'Usage', scopes: ['USAGE_READ'] };
const PARTS: readonly PartTab[] = [
  USAGE,
  { key: 'credits', title: 'Credits', scopes: ['BILLING_READ', 'USAGE_READ'] },
  { key: 'subscriptions', title: 'Subscriptions', scopes: ['BILLING_READ'] },
  { key: 'invoices', title: 'Invoices', scopes: ['BILLING_READ'] },
  { key: 'events', title: 'Events', scopes: ['USAGE_READ'] },
  { key: 'alerts', title: 'Alerts', scopes: ['ALERTS_READ'] },
];

export function CustomerPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { part } = useSearch({ strict: false }) as { part?: string };
  const navigate = useNavigate();
  const [{ data, error }, again] = useQuery({ query: CustomerPageDocument, variables: { id } });
  const refresh = () => again({ requestPolicy: 'network-only' });
  const [moved, setMoved] = useState(0);
  useUsageLive({ customerId: id }, () => setMoved((times) => times + 1));
  const lacks: Record<string, boolean> = {
    USAGE_READ: usePermission('USAGE_READ') === 'no',
    BILLING_READ: usePermission('BILLING_READ') === 'no',
    ALERTS_READ: usePermission('ALERTS_READ') === 'no',
  };
  const tabs = PARTS.filter(({ scopes }) => !scopes.some((scope) => lacks[scope]));
  // A link may lead to a part that the token may not see.
  const { key: selected, scopes } = PARTS.find(({ key }) => key === part) ?? tabs[0] ?? USAGE;
  return (
    <Loaded what="customer" value={data?.customer} error={error} onRetry={refresh}>
      {(customer) => (
        <>
          <PageHead
            above={<Link to="/customers">Customers</Link>}
            title={customerName(customer)}
            about={customer.email && <bdi>{customer.email}</bdi>}
            tools={
              <>
                <ViewTools />
                {!customer.erasedAt && <CustomerActions customer={customer} onChanged={refresh} />}
              </>
            }
          />
          <Tabs
            label="Parts of the customer"
            tabs={tabs}
            selected={selected}
            onSelect={(key) =>
              navigate({ to: '.', search: (old: object) => ({ ...old, part: key }), replace: true })
            }
          >
            <Stack>
              <CustomerErased customer={customer} onWait={refresh} />
              <Allowed scope={scopes.find((scope) => lacks[scope]) ?? scopes[0]}>
                <PartOf part={selected} id={customer.id} moved={moved} />
              </Allowed>
              <Card title="Details">
                <KeyValues>
                  {customer.externalId && (
                    <KeyValue name="External ID">
                      <Id value={customer.externalId} label="external ID" />
                    </KeyValue>
                  )}
                  <KeyValue name="ID">
                    <Id value={customer.id} label="customer ID" />
                  </KeyValue>
                  <KeyValue name="Created">
                    <Time at={customer.createdAt} />
                  </KeyValue>
                </KeyValues>
              </Card>
              <History id={customer.id} />
            </Stack>
          </Tabs>
        </>
      )}
    </Loaded>
  );
}

function PartOf({ part, id, moved }: { part: Part; id: string; moved: number }) {
  switch (part) {
    case 'usage':
      return (
        <>
          <CustomerUsageCard id={id} />
          <CustomerOverTime id={id} moved={moved} />
          <IfAllowed scope="BILLING_READ">
            <CustomerEstimate id={id} />
          </IfAllowed>
        </>
      );
    case 'credits':
      return <CustomerCredits id={id} moved={moved} />;
    case 'subscriptions':
      return <CustomerSubscriptions id={id} />;
    case 'invoices':
      return <CustomerInvoices id={id} />;
    case 'events':
      return <CustomerEvents id={id} />;
    case 'alerts':
      return <CustomerAlerts id={id} />;
  }
}
