import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import { Level } from './kinds';

export const TriggerCells_trigger = graphql(`
  fragment TriggerCells_trigger on AlertTrigger {
    id
    value
    currency
    periodStart
    triggeredAt
    alert {
      id
      name
      kind
      meter {
        id
        unit
      }
    }
    customer {
      id
      ...CustomerName_customer
    }
  }
`);

export type TriggerRow = { id: string } & FragmentType<typeof TriggerCells_trigger>;

/** The columns beside what the page is of. */
export function triggerColumns({ of }: { of: 'alert' | 'customer' }): Column<TriggerRow>[] {
  const named: Column<TriggerRow> =
    of === 'alert'
      ? {
          title: 'Customer',
          isName: true,
          cell: (row) => (
            <CustomerLink customer={readFragment(TriggerCells_trigger, row).customer} />
          ),
        }
      : {
          title: 'Alert',
          isName: true,
          cell: (row) => {
            const { alert } = readFragment(TriggerCells_trigger, row);
            return (
              <Link to="/alerts/$id" params={{ id: alert.id }}>
                <bdi>{alert.name}</bdi>
              </Link>
            );
          },
        };
  return [
    named,
    {
      title: 'Value',
      isNumber: true,
      cell: (row) => {
        const { value, currency, alert } = readFragment(TriggerCells_trigger, row);
        return (
          <Level
            kind={alert.kind}
            value={value}
            unit={alert.meter?.unit ?? null}
            currency={currency ?? null}
          />
        );
      },
    },
    {
      title: 'Period from',
      nowrap: true,
      isMinor: true,
      cell: (row) => {
        const { periodStart } = readFragment(TriggerCells_trigger, row);
        return periodStart ? <Time at={periodStart} day /> : 'Before subscribing';
      },
    },
    {
      title: 'Triggered',
      cell: (row) => <Time at={readFragment(TriggerCells_trigger, row).triggeredAt} moment />,
    },
  ];
}
