import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { CreditEntryKind, CreditLedger_MeterFragment } from '../../api/generated/graphql';
import { Quantity, Time } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';

export const CreditLedger_meter = graphql(`
  fragment CreditLedger_meter on CustomerMeter {
    id
    meter {
      id
      name
    }
    creditEntries(last: 50) {
      nodes {
        id
        kind
        units
        reason
        createdAt
        benefit {
          id
          description
        }
      }
    }
  }
`);

type Entry = CreditLedger_MeterFragment['creditEntries']['nodes'][number];

const KINDS: Record<CreditEntryKind, string> = {
  CARRIED_OVER: 'Carried over',
  EXPIRY: 'Expired',
  GRANT: 'Granted',
  MANUAL: 'Manual',
  REVOKE: 'Taken back',
};

const COLUMNS: Column<Entry>[] = [
  { title: 'Day', nowrap: true, cell: ({ createdAt }) => <Time at={createdAt} day /> },
  { title: 'Entry', isMinor: true, nowrap: true, cell: ({ kind }) => KINDS[kind] },
  {
    title: 'Reason',
    isName: true,
    cell: ({ kind, reason, benefit }) => <bdi>{reason ?? benefit?.description ?? KINDS[kind]}</bdi>,
  },
  { title: 'Units', isNumber: true, cell: ({ units }) => <Quantity value={units} /> },
];

/** The credit ledger of a meter, latest entries first. */
export function CreditLedger({ meter }: { meter: FragmentType<typeof CreditLedger_meter> | null }) {
  const of = meter && readFragment(CreditLedger_meter, meter);
  return (
    <Table
      label={`Credit ledger${of ? ` of ${of.meter.name}` : ''}`}
      columns={COLUMNS}
      rows={of ? [...of.creditEntries.nodes].reverse() : []}
      keyOf={(entry) => entry.id}
      loading={of === null}
    />
  );
}
