import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Badge } from '../../ui/Badge';
import { buttonClass } from '../../ui/Button';
import { Card } from '../../ui/Surface';
import { IfAllowed, usePermission } from '../access/permissions';
import { SendExamples } from '../events/SendExamples';
import styles from './FirstSteps.module.css';

const FirstStepsDocument = graphql(`
  query FirstSteps($withBilling: Boolean!) {
    meters(first: 1, includeArchived: true) {
      nodes {
        id
      }
    }
    eventNames {
      name
    }
    products(first: 1, includeArchived: true) @include(if: $withBilling) {
      nodes {
        id
      }
    }
    subscriptions(first: 1) @include(if: $withBilling) {
      nodes {
        id
      }
    }
  }
`);

/** What a new organization does first; nothing once it has done it. */
export function FirstSteps() {
  const withBilling = usePermission('BILLING_READ') === 'yes';
  const [{ data }] = useQuery({ query: FirstStepsDocument, variables: { withBilling } });
  if (data === undefined) {
    return null;
  }
  const hasMeter = data.meters.nodes.length > 0;
  const hasEvent = data.eventNames.length > 0;
  const hasProduct = (data.products?.nodes.length ?? 1) > 0;
  const hasSubscription = (data.subscriptions?.nodes.length ?? 1) > 0;
  if (hasMeter && hasEvent && hasProduct && hasSubscription) {
    return null;
  }
  return (
    <Card title="First steps">
      <ol className={styles.steps}>
        <Step title="Create a meter" isDone={hasMeter}>
          <p>A meter counts what your customers use, such as tokens or seconds.</p>
          <IfAllowed scope="METERS_WRITE">
            <Link to="/meters/new" className={buttonClass({ look: 'primary' })}>
              New meter
            </Link>
          </IfAllowed>
        </Step>
        <Step title="Send an event" isDone={hasEvent}>
          <p>
            Your application reports usage as events. To try it, use “Send test event” on the{' '}
            <Link to="/events">events page</Link>, or one of these. <code>TOKEN</code> is an access
            token with the scope <code>EVENTS_WRITE</code>, from the{' '}
            <Link to="/settings">settings</Link>.
          </p>
          <SendExamples />
        </Step>
        <Step title="Create a product" isDone={hasProduct}>
          <p>A product has prices, and credit for every period. Customers subscribe to it.</p>
          <IfAllowed scope="BILLING_WRITE">
            <Link to="/products/new" className={buttonClass()}>
              New product
            </Link>
          </IfAllowed>
        </Step>
        <Step title="Subscribe a customer" isDone={hasSubscription}>
          <p>From then on, the customer gets its credit and is invoiced.</p>
          <IfAllowed scope="BILLING_WRITE">
            <Link to="/subscriptions/new" className={buttonClass()}>
              New subscription
            </Link>
          </IfAllowed>
        </Step>
      </ol>
    </Card>
  );
}

function Step({
  title,
  isDone,
  children,
}: {
  title: string;
  isDone: boolean;
  children: ReactNode;
}) {
  return (
    <li className={styles.step} data-done={isDone}>
      <h3>
        {title} {isDone && <Badge tone="good">Done</Badge>}
      </h3>
      {!isDone && children}
    </li>
  );
}
