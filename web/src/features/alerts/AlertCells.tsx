import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Badge } from '../../ui/Badge';
import { RelativeTime } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import { Level, watched } from './kinds';

export const AlertCells_alert = graphql(`
  fragment AlertCells_alert on UsageAlert {
    id
    name
    kind
    threshold
    currency
    enabled
    meter {
      id
      name
      unit
    }
    customer {
      id
      ...CustomerName_customer
    }
    triggers(first: 2) {
      totalCount
      nodes {
        id
        triggeredAt
        customer {
          id
          ...CustomerName_customer
        }
      }
    }
  }
`);

export type AlertRow = { id: string } & FragmentType<typeof AlertCells_alert>;

/** The columns beside what the page is of. */
export function alertColumns({ of }: { of: 'all' | 'meter' }): Column<AlertRow>[] {
  return [
    {
      title: 'Name',
      isName: true,
      cell: (row) => {
        const { id, name } = readFragment(AlertCells_alert, row);
        return (
          <Link to="/alerts/$id" params={{ id }}>
            <bdi>{name}</bdi>
          </Link>
        );
      },
    },
    {
      title: 'Watches',
      isMinor: of === 'meter',
      cell: (row) => {
        const { kind, meter } = readFragment(AlertCells_alert, row);
        return (
          <>
            {watched(kind)}
            {of === 'all' && meter && (
              <>
                {' of '}
                <Link to="/meters/$id" params={{ id: meter.id }}>
                  <bdi>{meter.name}</bdi>
                </Link>
              </>
            )}
          </>
        );
      },
    },
    {
      title: 'Threshold',
      isNumber: true,
      cell: (row) => {
        const { kind, threshold, currency, meter } = readFragment(AlertCells_alert, row);
        return (
          <Level kind={kind} value={threshold} unit={meter?.unit ?? null} currency={currency} />
        );
      },
    },
    {
      title: 'Customers',
      isMinor: true,
      cell: (row) => {
        const { customer } = readFragment(AlertCells_alert, row);
        return customer ? <CustomerLink customer={customer} /> : 'Each customer';
      },
    },
    of === 'all' ? TRIGGERED : TRIGGERED_FOR,
    {
      title: 'Last',
      nowrap: true,
      isMinor: true,
      cell: (row) => {
        const last = readFragment(AlertCells_alert, row).triggers.nodes[0];
        return last ? <RelativeTime at={last.triggeredAt} /> : '–';
      },
    },
    {
      title: 'Status',
      nowrap: true,
      isMinor: of === 'meter',
      cell: (row) =>
        readFragment(AlertCells_alert, row).enabled ? (
          <Badge tone="good">On</Badge>
        ) : (
          <Badge tone="neutral">Off</Badge>
        ),
    },
  ];
}

const TRIGGERED: Column<AlertRow> = {
  title: 'Triggered',
  isNumber: true,
  cell: (row) => readFragment(AlertCells_alert, row).triggers.totalCount,
};

const TRIGGERED_FOR: Column<AlertRow> = {
  title: 'Triggered for',
  cell: (row) => {
    const { id, triggers } = readFragment(AlertCells_alert, row);
    const seen = new Map(triggers.nodes.map(({ customer }) => [customer.id, customer]));
    const others = triggers.totalCount - triggers.nodes.length;
    if (triggers.totalCount === 0) {
      return '–';
    }
    return (
      <>
        {[...seen.values()].map((customer, index) => (
          <span key={customer.id}>
            {index > 0 && ', '}
            <CustomerLink customer={customer} />
          </span>
        ))}
        {others > 0 && (
          <>
            {' and '}
            <Link to="/alerts/$id" params={{ id }}>
              {others} more
            </Link>
          </>
        )}
      </>
    );
  },
};
