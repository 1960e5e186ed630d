import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { WebhookDeliveryStatus } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';

export const DeliveryCells_delivery = graphql(`
  fragment DeliveryCells_delivery on WebhookDelivery {
    id
    eventType
    status
    createdAt
    nextAttemptAt
    attempts {
      status
      error
    }
  }
`);

type Delivery = FragmentType<typeof DeliveryCells_delivery>;
export type DeliveryRow = { id: string } & Delivery;

export const DELIVERIES: readonly Column<DeliveryRow>[] = [
  {
    title: 'Event',
    isName: true,
    cell: (row) => {
      const { id, eventType } = readFragment(DeliveryCells_delivery, row);
      return (
        <Link to="/settings/webhooks/deliveries/$id" params={{ id }}>
          {eventType}
        </Link>
      );
    },
  },
  {
    title: 'Status',
    nowrap: true,
    cell: (row) => <DeliveryStatus status={readFragment(DeliveryCells_delivery, row).status} />,
  },
  {
    title: 'Tries',
    isNumber: true,
    cell: (row) => readFragment(DeliveryCells_delivery, row).attempts.length,
  },
  {
    title: 'Last answer',
    isMinor: true,
    cell: (row) => {
      const last = readFragment(DeliveryCells_delivery, row).attempts.at(-1);
      return last === undefined ? '–' : (last.error ?? `HTTP status ${last.status}.`);
    },
  },
  {
    title: 'Next try',
    isMinor: true,
    nowrap: true,
    cell: (row) => {
      const { nextAttemptAt } = readFragment(DeliveryCells_delivery, row);
      return nextAttemptAt ? <Time at={nextAttemptAt} moment /> : '–';
    },
  },
  {
    title: 'Created',
    isMinor: true,
    nowrap: true,
    cell: (row) => <Time at={readFragment(DeliveryCells_delivery, row).createdAt} moment />,
  },
];

const SHOWN = {
  PENDING: { tone: 'warn', text: 'Pending' },
  DELIVERED: { tone: 'good', text: 'Delivered' },
  FAILED: { tone: 'bad', text: 'Failed' },
} as const;

export function DeliveryStatus({ status }: { status: WebhookDeliveryStatus }) {
  const { tone, text } = SHOWN[status];
  return <Badge tone={tone}>{text}</Badge>;
}
