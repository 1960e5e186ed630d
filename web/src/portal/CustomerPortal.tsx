import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql, readFragment } from '../api/generated';
import type { CustomerPortalQuery } from '../api/generated/graphql';
import { problemOf } from '../api/problems';
import { InvoiceLines } from '../features/invoices/InvoiceLines';
import { CustomerUsage } from '../features/usage/usage';
import { useUsageLive } from '../features/usage/usageLive';
import { share, sign } from '../format/decimals';
import { formatInstant, formatPeriod } from '../format/time';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Money, Quantity, Time } from '../ui/Figures';
import { Progress } from '../ui/Progress';
import { Skeleton } from '../ui/Skeleton';
import { Card, Figure, Figures, PageHead, Stack } from '../ui/Surface';
import { type Column, Table } from '../ui/Table';
import { useNow } from '../ui/useNow';
import { useZone } from '../ui/zone';
import { invoiceAddress, useOpenInvoice } from './address';
import { Credits } from './Credits';
import styles from './Portal.module.css';
import { PortalInvoice } from './PortalInvoice';

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
          meter {
            id
            name
            unit
          }
          completeThrough
          ...CustomerUsage
        }
      }
      subscriptions(first: 20) {
        nodes {
          id
          status
          currentPeriodStart
          currentPeriodEnd
          cancelAtPeriodEnd
          product {
            id
            name
          }
          upcomingInvoice {
            currency
            total
            completeThrough
            lines {
              ...InvoiceLines_line
            }
          }
        }
      }
      invoices(last: 24) {
        nodes {
          id
          number
          currency
          total
          issuedAt
        }
      }
    }
  }
`);

type Customer = NonNullable<CustomerPortalQuery['viewer']>;
type Meter = Customer['meters']['nodes'][number];
type Subscription = Customer['subscriptions']['nodes'][number];
type Invoice = Customer['invoices']['nodes'][number];

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
        <PortalInvoice id={openInvoice} onClose={() => setOpenInvoice(null)} />
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
  const active = customer.subscriptions.nodes.filter(({ status }) => status === 'ACTIVE');
  return (
    <>
      <PageHead
        title={customer.name ?? customer.externalId ?? 'Your account'}
        about="Your usage, what it comes to, and your invoices. Numbers update by themselves."
      />
      <Card title="Usage">
        {customer.meters.nodes.length === 0 ? (
          <Empty title="Nothing used yet">Your usage appears here as it happens.</Empty>
        ) : (
          customer.meters.nodes.map((meter) => <MeterUsage key={meter.id} meter={meter} />)
        )}
      </Card>
      {active.map((subscription) => (
        <SubscriptionCard key={subscription.id} subscription={subscription} />
      ))}
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
      <Card title="Invoices" flush>
        <Table
          label="Invoices"
          columns={invoiceColumns(onOpenInvoice)}
          rows={[...customer.invoices.nodes].reverse()}
          keyOf={({ id }) => id}
          empty={
            <Empty title="No invoices yet">
              Invoices are issued by themselves when a period begins or ends.
            </Empty>
          }
        />
      </Card>
      <Credits credited={customer.meters.nodes.map(creditOf).join()} />
      <p className={`${styles.soft} screen-only`}>Days and times are those of {zone}.</p>
    </>
  );
}

function creditOf(meter: Meter): string {
  return readFragment(CustomerUsage, meter).creditedUnits;
}

function invoiceColumns(onOpen: (id: string) => void): Column<Invoice>[] {
  return [
    {
      title: 'Number',
      isName: true,
      cell: ({ id, number }) => (
        <a
          href={invoiceAddress(id)}
          onClick={(event) => {
            if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
              event.preventDefault();
              onOpen(id);
            }
          }}
        >
          {number}
        </a>
      ),
    },
    { title: 'Issued', nowrap: true, cell: ({ issuedAt }) => <Time at={issuedAt} day /> },
    {
      title: 'Total',
      isNumber: true,
      cell: ({ total, currency }) => <Money amount={total} currency={currency} />,
    },
  ];
}

const DAY = 86_400_000;

/** 12 days left. */
function daysLeft(end: string, now: number): string {
  const left = Math.max(0, Date.parse(end) - now);
  const days = Math.floor(left / DAY);
  if (days === 0) {
    return 'Less than a day left';
  }
  return days === 1 ? '1 day left' : `${days} days left`;
}

function SubscriptionCard({ subscription }: { subscription: Subscription }) {
  const zone = useZone();
  const now = useNow();
  const { product, currentPeriodStart, currentPeriodEnd, cancelAtPeriodEnd, upcomingInvoice } =
    subscription;
  return (
    <Card title={product.name} flush>
      <div className={styles.inset}>
        <Figures>
          <Figure
            label="Current period"
            note={`${formatPeriod(currentPeriodStart, currentPeriodEnd, zone)}, then it ${
              cancelAtPeriodEnd ? 'ends' : 'renews'
            }`}
          >
            {daysLeft(currentPeriodEnd, now)}
          </Figure>
          {upcomingInvoice && (
            <Figure
              label="Next invoice, estimated"
              note={`If the period ended now. Usage through ${formatInstant(
                upcomingInvoice.completeThrough,
                zone,
              )}.`}
            >
              <Money amount={upcomingInvoice.total} currency={upcomingInvoice.currency} />
            </Figure>
          )}
        </Figures>
      </div>
      {upcomingInvoice && (
        <InvoiceLines
          lines={upcomingInvoice.lines}
          currency={upcomingInvoice.currency}
          total={upcomingInvoice.total}
        />
      )}
    </Card>
  );
}

const ALMOST = 0.8;

function MeterUsage({ meter }: { meter: Meter }) {
  const { name, unit } = meter.meter;
  const { consumedUnits, creditedUnits, balance } = readFragment(CustomerUsage, meter);
  const used = share(consumedUnits, creditedUnits);
  const hasCredit = sign(creditedUnits) > 0;
  return (
    <div className={styles.meter}>
      <div className={styles.meterHead}>
        <h3>
          <bdi>{name}</bdi>
        </h3>
        <span>
          <Quantity
            value={consumedUnits}
            unit={unit ?? null}
            completeThrough={meter.completeThrough}
          />{' '}
          used
        </span>
      </div>
      {hasCredit && (
        <>
          <Progress
            label={`Used of what is included: ${name}`}
            value={used}
            tone={used >= 1 ? 'bad' : used >= ALMOST ? 'warn' : undefined}
          />
          <div className={`${styles.meterHead} ${styles.soft}`}>
            <span>
              <Quantity value={creditedUnits} unit={unit ?? null} /> included
            </span>
            <span>
              {sign(balance) < 0 ? (
                'All used'
              ) : (
                <>
                  <Quantity value={balance} unit={unit ?? null} /> left
                </>
              )}
            </span>
          </div>
        </>
      )}
    </div>
  );
}
