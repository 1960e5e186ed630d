import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { planName } from '../../format/plans';
import { formatDate, formatPeriod } from '../../format/time';
import { Badge } from '../../ui/Badge';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { useZone } from '../../ui/zone';
import { CustomerLink } from '../customers/CustomerName';

export const SubscriptionCells_subscription = graphql(`
  fragment SubscriptionCells_subscription on CustomerSubscription {
    id
    status
    quantity
    startedAt
    currentPeriodStart
    currentPeriodEnd
    cancelAtPeriodEnd
    endedAt
    invoicingProblem
    pendingChange {
      at
    }
    customer {
      id
      ...CustomerName_customer
    }
    product {
      id
      name
    }
  }
`);

type Subscription = FragmentType<typeof SubscriptionCells_subscription>;
export type SubscriptionRow = { id: string } & Subscription;

export function subscriptionColumns({
  withCustomer,
}: {
  withCustomer: boolean;
}): Column<SubscriptionRow>[] {
  const columns: Column<SubscriptionRow>[] = [
    {
      title: 'Product',
      isName: true,
      cell: (row) => {
        const { id, product, quantity } = readFragment(SubscriptionCells_subscription, row);
        return (
          <Link to="/subscriptions/$id" params={{ id }}>
            <bdi>{planName(product.name, quantity)}</bdi>
          </Link>
        );
      },
    },
    {
      title: 'Customer',
      cell: (row) => (
        <CustomerLink customer={readFragment(SubscriptionCells_subscription, row).customer} />
      ),
    },
    { title: 'Status', nowrap: true, cell: (row) => <SubscriptionStatus subscription={row} /> },
    {
      title: 'Current period',
      isMinor: true,
      nowrap: true,
      cell: (row) => <PeriodOf subscription={row} />,
    },
    {
      title: 'Started',
      isMinor: true,
      nowrap: true,
      cell: (row) => <Time at={readFragment(SubscriptionCells_subscription, row).startedAt} />,
    },
  ];
  return withCustomer ? columns : columns.filter(({ title }) => title !== 'Customer');
}

/** Where a subscription is in its life, and what is going to happen to it. */
export function SubscriptionStatus({ subscription }: { subscription: Subscription }) {
  const zone = useZone();
  const { status, startedAt, currentPeriodEnd, ...one } = readFragment(
    SubscriptionCells_subscription,
    subscription,
  );
  if (one.invoicingProblem) {
    return <Badge tone="bad">Cannot be invoiced</Badge>;
  }
  if (status === 'CANCELED') {
    return <Badge>Ended</Badge>;
  }
  if (status === 'SCHEDULED') {
    return <Badge>Starts {formatDate(startedAt, zone)}</Badge>;
  }
  const end = formatDate(currentPeriodEnd, zone);
  if (one.cancelAtPeriodEnd) {
    return <Badge tone="warn">Ends {end}</Badge>;
  }
  if (one.pendingChange) {
    return <Badge tone="accent">Changes {end}</Badge>;
  }
  return status === 'TRIALING' ? (
    <Badge tone="accent">Trial until {end}</Badge>
  ) : (
    <Badge tone="good">Active</Badge>
  );
}

function PeriodOf({ subscription }: { subscription: Subscription }) {
  const zone = useZone();
  const { status, currentPeriodStart, currentPeriodEnd } = readFragment(
    SubscriptionCells_subscription,
    subscription,
  );
  if (status === 'SCHEDULED') {
    return null;
  }
  return formatPeriod(currentPeriodStart, currentPeriodEnd, zone);
}
