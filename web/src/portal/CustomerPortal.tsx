import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql, readFragment } from '../api/generated';
import type { CustomerPortalQuery } from '../api/generated/graphql';
import { problemOf } from '../api/problems';
import { CustomerUsage } from '../features/usage/usage';
import { useUsageLive } from '../features/usage/usageLive';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Skeleton } from '../ui/Skeleton';
import { Card, PageHead, Stack } from '../ui/Surface';
import { useZone } from '../ui/zone';
import { useOpenInvoice } from './address';
import { MeterBalance } from './MeterBalance';
import styles from './Portal.module.css';
import { PortalInvoices } from './PortalInvoices';
import { PortalSubscriptions } from './PortalSubscriptions';

const CustomerPortalDocument = graphql(`
  query CustomerPortal {
    me {
      organization {
        id
        displayName
        logoUrl
      }
    }
    viewer {
      id
      name
      externalId
      meters(first: 50) {
        nodes {
          id
          ...CustomerUsage
          ...MeterBalance_meter
        }
      }
    }
  }
`);

type Customer = NonNullable<CustomerPortalQuery['viewer']>;
type Meter = Customer['meters']['nodes'][number];

const Credits = lazy(() => import('./Credits').then((module) => ({ default: module.Credits })));
const PortalInvoice = lazy(() =>
  import('./PortalInvoice').then((module) => ({ default: module.PortalInvoice })),
);
const UsageByDay = lazy(() =>
  import('./UsageByDay').then((module) => ({ default: module.UsageByDay })),
);

export function CustomerPortal({ onEnded }: { onEnded(): void }) {
  const [{ data, error }, again] = useQuery({ query: CustomerPortalDocument });
  const [openInvoice, setOpenInvoice] = useOpenInvoice();
  const [moved, setMoved] = useState(0);
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  // An organization's token has no page here.
  const isNobody = data?.viewer === null;
  useEffect(() => {
    if (isNobody) {
      onEnded();
    }
  }, [isNobody, onEnded]);
  useUsageLive({}, () => {
    refresh();
    setMoved((times) => times + 1);
  });
  const organization = data?.me.organization;
  useEffect(() => {
    if (organization) {
      document.title = `Usage and invoices · ${organization.displayName}`;
    }
  }, [organization]);
  if (error && !data) {
    return error.graphQLErrors.some(
      ({ extensions }) => extensions.code === 'UNAUTHENTICATED',
    ) ? null : (
      <ErrorPanel problem={problemOf(error)} onRetry={refresh} />
    );
  }
  const customer = data?.viewer;
  if (!customer || !organization) {
    return (
      <Stack>
        <PageHead title={<Skeleton width="12rem" />} />
        <Card>
          <Skeleton height="160px" />
        </Card>
      </Stack>
    );
  }
  return (
    <Stack>
      <header className={`${styles.brand} screen-only`}>
        {organization.logoUrl && <img src={organization.logoUrl} alt="" />}
        <bdi>{organization.displayName}</bdi>
      </header>
      {openInvoice === null ? (
        <Account customer={customer} moved={moved} onOpenInvoice={setOpenInvoice} />
      ) : (
        <Suspense>
          <PortalInvoice id={openInvoice} onClose={() => setOpenInvoice(null)} />
        </Suspense>
      )}
    </Stack>
  );
}

function Account({
  customer,
  moved,
  onOpenInvoice,
}: {
  customer: Customer;
  moved: number;
  onOpenInvoice(id: string): void;
}) {
  const zone = useZone();
  return (
    <>
      <PageHead
        title={customer.name ?? customer.externalId ?? 'Your account'}
        about="Your usage, charges and invoices. The numbers are live."
      />
      <Card title="Usage">
        {customer.meters.nodes.length === 0 ? (
          <Empty title="No usage yet">Your usage appears here as it happens.</Empty>
        ) : (
          customer.meters.nodes.map((meter) => <MeterBalance key={meter.id} meter={meter} />)
        )}
      </Card>
      <PortalSubscriptions moved={moved} />
      {customer.meters.nodes.length > 0 && (
        <Suspense
          fallback={
            <Card title="Usage by day">
              <Skeleton width="100%" height="150px" />
            </Card>
          }
        >
          <UsageByDay moved={moved} />
        </Suspense>
      )}
      <PortalInvoices moved={moved} onOpen={onOpenInvoice} />
      <Suspense>
        <Credits credited={customer.meters.nodes.map(creditOf).join()} moved={moved} />
      </Suspense>
      <p className={`${styles.soft} screen-only`}>All dates and times are in {zone}.</p>
    </>
  );
}

function creditOf(meter: Meter): string {
  return readFragment(CustomerUsage, meter).creditedUnits;
}
