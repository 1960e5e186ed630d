import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Id } from '../../ui/Code';
import { Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues, PageHead, Stack } from '../../ui/Surface';
import { type Tab, Tabs } from '../../ui/Tabs';
import { IfAllowed } from '../access/permissions';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import { ViewTools } from '../viewing/ViewTools';
import { CustomerActions } from './CustomerActions';
import { CustomerCredits } from './CustomerCredits';
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
      ...CustomerActions_customer
      ...CustomerName_customer
    }
  }
`);

type Part = 'usage' | 'credits' | 'subscriptions' | 'invoices' | 'events';

const PARTS: readonly Tab<Part>[] = [
  { key: 'usage', title: 'Usage' },
  { key: 'credits', title: 'Credits' },
  { key: 'subscriptions', title: 'Subscriptions' },
  { key: 'invoices', title: 'Invoices' },
  { key: 'events', title: 'Events' },
];

export function CustomerPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { part } = useSearch({ strict: false }) as { part?: string };
  const navigate = useNavigate();
  const [{ data, error }, again] = useQuery({ query: CustomerPageDocument, variables: { id } });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useUsageLive({ customerId: id });
  const selected = PARTS.find(({ key }) => key === part)?.key ?? 'usage';
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
                <CustomerActions customer={customer} onChanged={refresh} />
              </>
            }
          />
          <Tabs
            label="Parts of the customer"
            tabs={PARTS}
            selected={selected}
            onSelect={(key) =>
              navigate({ to: '.', search: (old: object) => ({ ...old, part: key }), replace: true })
            }
          >
            <Stack>
              <PartOf part={selected} id={customer.id} />
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
            </Stack>
          </Tabs>
        </>
      )}
    </Loaded>
  );
}

function PartOf({ part, id }: { part: Part; id: string }) {
  switch (part) {
    case 'usage':
      return (
        <>
          <CustomerUsageCard id={id} />
          <CustomerOverTime id={id} />
          <IfAllowed scope="BILLING_READ">
            <CustomerEstimate id={id} />
          </IfAllowed>
        </>
      );
    case 'credits':
      return <CustomerCredits id={id} />;
    case 'subscriptions':
      return <CustomerSubscriptions id={id} />;
    case 'invoices':
      return <CustomerInvoices id={id} />;
    case 'events':
      return <CustomerEvents id={id} />;
  }
}
