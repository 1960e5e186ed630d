import { Link, useParams } from '@tanstack/react-router';
import { lazy, useCallback } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { SubscriptionPageQuery } from '../../api/generated/graphql';
import { formatDiscount } from '../../format/discounts';
import { planName } from '../../format/plans';
import { formatExactInstant, formatInstant, formatPeriod, formatRelative } from '../../format/time';
import { Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Money, Time } from '../../ui/Figures';
import { Card, Figure, Figures, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { Table } from '../../ui/Table';
import { useFollowing } from '../../ui/useFollowing';
import { useNow } from '../../ui/useNow';
import { useZone } from '../../ui/zone';
import { History } from '../audit/History';
import { CustomerLink, customerName } from '../customers/CustomerName';
import { invoiceColumns } from '../invoices/InvoiceCells';
import { InvoiceLines } from '../invoices/InvoiceLines';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import styles from './Subscription.module.css';
import { SubscriptionActions, UndoChange } from './SubscriptionActions';
import { SubscriptionStatus } from './SubscriptionCells';

const UpcomingLineWhy = lazy(async () => ({
  default: (await import('../invoices/UpcomingLineWhy')).UpcomingLineWhy,
}));

const SubscriptionPageDocument = graphql(`
  query SubscriptionPage($id: ID!) {
    subscription(id: $id) {
      id
      status
      quantity
      startedAt
      trialEndsAt
      currentPeriodStart
      currentPeriodEnd
      usagePeriodStart
      usagePeriodEnd
      endedAt
      pendingChange {
        quantity
        at
        product {
          id
          name
        }
      }
      cancelAtPeriodEnd
      discount {
        percentOff
        amountOff
        periodsLeft
      }
      invoicingProblem
      ...SubscriptionCells_subscription
      customer {
        id
        ...CustomerName_customer
      }
      product {
        id
        name
        prices {
          id
          currency
        }
      }
      upcomingInvoice {
        currency
        total
        completeThrough
        lines {
          kind
          ...InvoiceLines_line
        }
      }
      invoices(last: 20) {
        nodes {
          id
          ...InvoiceCells_invoice
        }
      }
    }
  }
`);

type Subscription = NonNullable<SubscriptionPageQuery['subscription']>;

const INVOICES = invoiceColumns({ withCustomer: false });

export function SubscriptionPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: SubscriptionPageDocument, variables: { id } });
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  return (
    <Loaded what="subscription" value={data?.subscription} error={error} onRetry={refresh}>
      {(subscription) => <Page subscription={subscription} refresh={refresh} />}
    </Loaded>
  );
}

function Page({ subscription, refresh }: { subscription: Subscription; refresh(): void }) {
  const zone = useZone();
  const now = useNow();
  const { customer, product, invoicingProblem } = subscription;
  const { currentPeriodStart, currentPeriodEnd, usagePeriodStart, usagePeriodEnd } = subscription;
  const hasUsagePeriods =
    usagePeriodStart !== currentPeriodStart || usagePeriodEnd !== currentPeriodEnd;
  const billed = hasUsagePeriods ? 'usage period' : 'period';
  const { status, quantity, trialEndsAt, pendingChange } = subscription;
  // All prices of a product are in one currency.
  const currency = product.prices[0]?.currency ?? 'USD';
  const title = `${product.name} of ${customerName(customer)}`;
  const live = { ...subscription, title, currency };
  // A trial that has not begun is followed by nothing but itself.
  const upcomingInvoice = subscription.upcomingInvoice?.lines.length
    ? subscription.upcomingInvoice
    : null;
  useUsageLive({ customerId: customer.id }, refresh);
  const isAwaited = awaitsLastInvoice(subscription, now);
  useFollowing(isAwaited, refresh);
  const invoiceTitle = isAwaited ? 'Last invoice' : 'Next invoice';
  return (
    <>
      <PageHead
        above={<Link to="/subscriptions">Subscriptions</Link>}
        title={planName(product.name, quantity)}
        badge={<SubscriptionStatus subscription={subscription} />}
        about={
          <>
            <CustomerLink customer={customer} /> subscribes to{' '}
            <Link to="/products/$id" params={{ id: product.id }}>
              <bdi>{product.name}</bdi>
            </Link>
            .
          </>
        }
        tools={
          !subscription.endedAt && <SubscriptionActions subscription={live} onDone={refresh} />
        }
      />
      {invoicingProblem && (
        <ErrorPanel
          problem={{
            kind: 'refused',
            title: 'This subscription cannot be invoiced',
            advice: invoicingProblem,
          }}
        />
      )}
      <Card>
        <Figures>
          <Figure
            label={periodLabel(subscription)}
            note={whatComes(subscription, formatRelative(currentPeriodEnd, now))}
          >
            {status === 'SCHEDULED'
              ? formatInstant(subscription.startedAt, zone)
              : formatPeriod(currentPeriodStart, currentPeriodEnd, zone)}
          </Figure>
          {hasUsagePeriods && (
            <Figure
              label={subscription.endedAt ? 'Last usage period' : 'Current usage period'}
              note={!subscription.endedAt && `Ends ${formatRelative(usagePeriodEnd, now)}`}
            >
              {formatPeriod(usagePeriodStart, usagePeriodEnd, zone)}
            </Figure>
          )}
          {upcomingInvoice && (
            <Figure
              label={
                subscription.endedAt
                  ? invoiceTitle
                  : `Next invoice, if the ${status === 'TRIALING' ? 'trial' : billed} ended now`
              }
              note={`Complete through ${formatExactInstant(upcomingInvoice.completeThrough, zone)}`}
            >
              <Money amount={upcomingInvoice.total} currency={upcomingInvoice.currency} />
            </Figure>
          )}
        </Figures>
      </Card>
      {pendingChange && (
        <Card title="Scheduled change" tools={<UndoChange subscription={live} onDone={refresh} />}>
          <p>
            It changes to{' '}
            <Link to="/products/$id" params={{ id: pendingChange.product.id }}>
              <bdi>{planName(pendingChange.product.name, pendingChange.quantity)}</bdi>
            </Link>{' '}
            when its {status === 'TRIALING' ? 'trial' : 'period'} ends,{' '}
            <Time at={pendingChange.at} />.
          </p>
        </Card>
      )}
      {upcomingInvoice && (
        <Card title={invoiceTitle} flush>
          {isAwaited && (
            <p role="status" className={styles.awaited}>
              Issued as soon as all usage is counted.
            </p>
          )}
          <InvoiceLines
            lines={upcomingInvoice.lines}
            currency={upcomingInvoice.currency}
            total={upcomingInvoice.total}
            why={(ordinal, onClose) => (
              <UpcomingLineWhy id={subscription.id} ordinal={ordinal} onClose={onClose} />
            )}
            trialEndsAt={trialEndsAt}
          />
        </Card>
      )}
      <Card title="Invoices" flush>
        <Table
          label="Invoices of the subscription"
          columns={INVOICES}
          rows={[...subscription.invoices.nodes].reverse()}
          keyOf={(invoice) => invoice.id}
          empty={
            <Empty title="No invoices yet">The first is issued when a paid period begins.</Empty>
          }
        />
      </Card>
      <Card title="Details">
        <KeyValues>
          <KeyValue name={status === 'SCHEDULED' ? 'Starts' : 'Started'}>
            <Time at={subscription.startedAt} />
          </KeyValue>
          <KeyValue name="Quantity">{quantity.toLocaleString('en')}</KeyValue>
          {subscription.discount && (
            <KeyValue name="Discount">{formatDiscount(subscription.discount, currency)}</KeyValue>
          )}
          {trialEndsAt && (
            <KeyValue name={Date.parse(trialEndsAt) > now ? 'Trial ends' : 'Trial ended'}>
              <Time at={trialEndsAt} />
            </KeyValue>
          )}
          {subscription.endedAt && (
            <KeyValue name="Ended">
              <Time at={subscription.endedAt} />
            </KeyValue>
          )}
          <KeyValue name="ID">
            <Id value={subscription.id} label="subscription ID" />
          </KeyValue>
        </KeyValues>
      </Card>
      <History id={subscription.id} />
    </>
  );
}

/** How long one waits for the last invoice; later, it is not the counting that takes so long. */
const PATIENCE = 3_600_000;

/** Whether the last invoice is about to be made: a worker does so once all usage is counted. */
function awaitsLastInvoice(
  { endedAt, invoicingProblem, upcomingInvoice }: Subscription,
  now: number,
): boolean {
  if (!endedAt || invoicingProblem || now - Date.parse(endedAt) >= PATIENCE) {
    return false;
  }
  return upcomingInvoice?.lines.some(({ kind }) => kind === 'METERED') === true;
}

function periodLabel({ status, endedAt }: Subscription): string {
  if (endedAt) {
    return 'Last period';
  }
  if (status === 'SCHEDULED') {
    return 'Starts';
  }
  return status === 'TRIALING' ? 'Free trial' : 'Current period';
}

/** What happens when the current period ends, or before the first. */
function whatComes(
  { status, endedAt, cancelAtPeriodEnd, pendingChange }: Subscription,
  inDays: string,
): string | null {
  if (endedAt) {
    return null;
  }
  if (status === 'SCHEDULED') {
    return `Begins ${inDays}. Nothing is charged before.`;
  }
  if (cancelAtPeriodEnd) {
    return `Ends ${inDays}`;
  }
  if (pendingChange) {
    return `Changes ${inDays}`;
  }
  return status === 'TRIALING' ? `First charged ${inDays}` : `Renews ${inDays}`;
}
