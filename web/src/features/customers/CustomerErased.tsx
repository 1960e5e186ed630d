import { useEffect } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { formatDecimal } from '../../format/decimals';
import { Badge } from '../../ui/Badge';
import { Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues } from '../../ui/Surface';

export const CustomerErased_customer = graphql(`
  fragment CustomerErased_customer on Customer {
    id
    erasedAt
    erasure {
      erasedEvents
      completedAt
    }
  }
`);

/** How often it is asked how far erasing is. */
const EVERY = 2000;

/** Says that a customer is erased, and how far its events are. */
export function CustomerErased({
  customer,
  onWait,
}: {
  customer: FragmentType<typeof CustomerErased_customer>;
  /** Asks again. */
  onWait(): void;
}) {
  const { erasedAt, erasure } = readFragment(CustomerErased_customer, customer);
  const isUnderWay = erasure !== null && erasure.completedAt === null;
  useEffect(() => {
    if (isUnderWay) {
      const timer = setTimeout(onWait, EVERY);
      return () => clearTimeout(timer);
    }
  });
  if (erasedAt === null) {
    return null;
  }
  return (
    <Card
      title="Erasure"
      tools={
        erasure &&
        (isUnderWay ? (
          <Badge tone="warn">Erasing events</Badge>
        ) : (
          <Badge tone="good" dot>
            Complete
          </Badge>
        ))
      }
    >
      <KeyValues>
        <KeyValue name="Erased">
          <Time at={erasedAt} />
        </KeyValue>
        {erasure && (
          <KeyValue name="Erased events">{formatDecimal(String(erasure.erasedEvents))}</KeyValue>
        )}
        {erasure?.completedAt && (
          <KeyValue name="Completed">
            <Time at={erasure.completedAt} />
          </KeyValue>
        )}
        <KeyValue name="What stays">
          Usage, credit and invoices. This customer can no longer be changed.
        </KeyValue>
      </KeyValues>
    </Card>
  );
}
