import { useEffect } from 'react';
import { useQuery } from 'urql';
import { graphql, readFragment } from '../api/generated';
import type { CustomerPortalQuery } from '../api/generated/graphql';
import { problemOf } from '../api/problems';
import { InvoiceLines } from '../features/invoices/InvoiceLines';
import { CustomerUsage } from '../features/usage/usage';
import { useUsageLive } from '../features/usage/usageLive';
import { share, sign } from '../format/decimals';
import { formatPeriod, formatRelative } from '../format/time';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Money, Quantity, Time } from '../ui/Figures';
import { Progress } from '../ui/Progress';
import { Skeleton } from '../ui/Skeleton';
import { Card, Figure, Figures, PageHead, Stack } from '../ui/Surface';
import { type Column, Table } from '../ui/Table';
import { useNow } from '../ui/useNow';
import { useZone } from '../ui/zone';
import styles from './Portal.module.css';

const CustomerPortalDocument = graphql(`
  query CustomerPortal {
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

export function CustomerPortal({ onEnded }: { onEnded(): void }) {
  const [{ data, error }, again] = useQuery({ query: CustomerPortalDocument });
  const refresh = () => again({ requestPolicy: 'network-only' });
  // An organization's token has no page here.
  const isNobody = data?.viewer === null;
  useEffect(() => {
    if (isNobody) {
      onEnded();
    }
  }, [isNobody, onEnded]);
  useUsageLive({}, refresh);
  if (error && !data) {
    return error.graphQLErrors.some(
      ({ extensions }) => extensions.code === 'UNAUTHENTICATED',
    ) ? null : (
      <ErrorPanel problem={problemOf(error)} onRetry={refresh} />
    );
  }
  const customer = data?.viewer;
  if (!customer) {
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
      <PageHead
        title={customer.name ?? customer.externalId ?? 'Your account'}
        about="Your usage, what it comes to, and your invoices. The numbers move by themselves."
      />
      {customer.subscriptions.nodes
        .filter(({ status }) => status === 'ACTIVE')
        .map((subscription) => (
          <SubscriptionCard key={subscription.id} subscription={subscription} />
        ))}
      <Card title="Usage">
        {customer.meters.nodes.length === 0 ? (
          <Empty title="Nothing used yet" />
        ) : (
          customer.meters.nodes.map((meter) => <MeterUsage key={meter.id} meter={meter} />)
        )}
      </Card>
      <Card title="Invoices" flush>
        <Table
          label="Invoices"
          columns={INVOICES}
          rows={[...customer.invoices.nodes].reverse()}
          keyOf={({ id }) => id}
          empty={<Empty title="No invoices yet" />}
        />
      </Card>
    </Stack>
  );
}

const INVOICES: Column<Invoice>[] = [
  { title: 'Number', isName: true, cell: ({ number }) => number },
  { title: 'Issued', nowrap: true, cell: ({ issuedAt }) => <Time at={issuedAt} /> },
  {
    title: 'Total',
    isNumber: true,
    cell: ({ total, currency }) => <Money amount={total} currency={currency} />,
  },
];

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
            note={`${cancelAtPeriodEnd ? 'Your subscription ends' : 'Renews'} ${formatRelative(currentPeriodEnd, now)}`}
          >
            {formatPeriod(currentPeriodStart, currentPeriodEnd, zone)}
          </Figure>
          {upcomingInvoice && (
            <Figure label="Your next invoice, if the period ended now">
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
          <Quantity value={consumedUnits} unit={unit ?? null} /> used
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
