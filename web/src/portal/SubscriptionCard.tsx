import { lazy } from 'react';
import { type FragmentType, graphql, readFragment } from '../api/generated';
import type { SubscriptionCard_SubscriptionFragment } from '../api/generated/graphql';
import { InvoiceLines } from '../features/invoices/InvoiceLines';
import { planName } from '../format/plans';
import { formatDate, formatInstant, formatPeriod } from '../format/time';
import { Money } from '../ui/Figures';
import { Card, Figure, Figures } from '../ui/Surface';
import { useNow } from '../ui/useNow';
import { useZone } from '../ui/zone';
import styles from './Portal.module.css';

const PortalUpcomingLineWhy = lazy(async () => ({
  default: (await import('./PortalLineWhy')).PortalUpcomingLineWhy,
}));

export const SubscriptionCard_subscription = graphql(`
  fragment SubscriptionCard_subscription on CustomerSubscription {
    id
    status
    quantity
    startedAt
    trialEndsAt
    pendingChange {
      quantity
      product {
        id
        name
      }
    }
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
`);

type Shown = SubscriptionCard_SubscriptionFragment;

const LABELS: Partial<Record<Shown['status'], string>> = {
  SCHEDULED: 'Starts on',
  TRIALING: 'Free trial',
};

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

/** What comes next, and when. */
function whatComes(
  { status, trialEndsAt, currentPeriodEnd, cancelAtPeriodEnd, pendingChange }: Shown,
  zone: string,
): string {
  if (status === 'SCHEDULED') {
    return trialEndsAt
      ? `Begins with a free trial until ${formatDate(trialEndsAt, zone)}`
      : 'Nothing is charged before';
  }
  const end = formatDate(currentPeriodEnd, zone);
  const isTrial = status === 'TRIALING';
  if (cancelAtPeriodEnd) {
    return isTrial ? `Trial ends on ${end}, then nothing is charged` : `Ends on ${end}`;
  }
  const next = pendingChange && planName(pendingChange.product.name, pendingChange.quantity);
  if (isTrial) {
    return `Trial ends on ${end}, then ${next ?? 'you are charged'}`;
  }
  return next ? `Changes to ${next} on ${end}` : `Renews on ${end}`;
}

/** A subscription: its period, and what the next invoice would come to, line by line. */
export function SubscriptionCard({
  subscription: of,
}: {
  subscription: FragmentType<typeof SubscriptionCard_subscription>;
}) {
  const subscription = readFragment(SubscriptionCard_subscription, of);
  const zone = useZone();
  const now = useNow();
  const { status, currentPeriodStart, currentPeriodEnd } = subscription;
  const upcomingInvoice = subscription.upcomingInvoice?.lines.length
    ? subscription.upcomingInvoice
    : null;
  const isScheduled = status === 'SCHEDULED';
  return (
    <Card title={planName(subscription.product.name, subscription.quantity)} flush>
      <div className={styles.inset}>
        <Figures>
          <Figure
            label={LABELS[status] ?? 'Current period'}
            note={
              <>
                {!isScheduled && (
                  <div>{formatPeriod(currentPeriodStart, currentPeriodEnd, zone)}</div>
                )}
                <bdi>{whatComes(subscription, zone)}</bdi>
              </>
            }
          >
            {isScheduled
              ? formatDate(subscription.startedAt, zone)
              : daysLeft(currentPeriodEnd, now)}
          </Figure>
          {upcomingInvoice && (
            <Figure
              label="Next invoice, estimated"
              note={`As if it were issued now. Usage through ${formatInstant(
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
          why={(ordinal, onClose) => (
            <PortalUpcomingLineWhy id={subscription.id} ordinal={ordinal} onClose={onClose} />
          )}
          trialEndsAt={subscription.trialEndsAt}
        />
      )}
    </Card>
  );
}
