import { type FragmentType, graphql, readFragment } from '../api/generated';
import { InvoiceLines } from '../features/invoices/InvoiceLines';
import { formatInstant, formatPeriod } from '../format/time';
import { Money } from '../ui/Figures';
import { Card, Figure, Figures } from '../ui/Surface';
import { useNow } from '../ui/useNow';
import { useZone } from '../ui/zone';
import styles from './Portal.module.css';

export const SubscriptionCard_subscription = graphql(`
  fragment SubscriptionCard_subscription on CustomerSubscription {
    id
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

/** A subscription: its period, and what the next invoice would come to, line by line. */
export function SubscriptionCard({
  subscription: of,
}: {
  subscription: FragmentType<typeof SubscriptionCard_subscription>;
}) {
  const subscription = readFragment(SubscriptionCard_subscription, of);
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
