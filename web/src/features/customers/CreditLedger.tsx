import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { CreditEntryKind } from '../../api/generated/graphql';
import { Quantity, Time } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';
import styles from './Credit.module.css';

export const CreditLedger_entry = graphql(`
  fragment CreditLedger_entry on CreditEntry {
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
`);

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
        ...CreditLedger_entry
      }
    }
  }
`);

type Entry = { id: string } & FragmentType<typeof CreditLedger_entry>;

const KINDS: Record<CreditEntryKind, string> = {
  CARRIED_OVER: 'Carried over',
  EXPIRY: 'Expired',
  GRANT: 'Granted',
  MANUAL: 'By hand',
  REVOKE: 'Taken back',
  UNCOVERED: 'Used without credit',
  VOID: 'Voided',
};

const COLUMNS: Column<Entry>[] = [
  {
    title: 'Day',
    nowrap: true,
    cell: (entry) => <Time at={readFragment(CreditLedger_entry, entry).createdAt} day />,
  },
  {
    title: 'Entry',
    isName: true,
    cell: (entry) => {
      const { kind, reason, benefit } = readFragment(CreditLedger_entry, entry);
      const why = reason ?? benefit?.description;
      return (
        <>
          {KINDS[kind]}
          {why && (
            <div className={styles.note}>
              <bdi>{why}</bdi>
            </div>
          )}
        </>
      );
    },
  },
  {
    title: 'Units',
    isNumber: true,
    cell: (entry) => <Quantity value={readFragment(CreditLedger_entry, entry).units} />,
  },
];

/** Entries of a ledger, in their order. */
export function CreditEntries({
  label,
  entries,
  loading = false,
}: {
  label: string;
  entries: readonly Entry[];
  loading?: boolean;
}) {
  return (
    <Table
      label={label}
      columns={COLUMNS}
      rows={entries}
      keyOf={(entry) => entry.id}
      loading={loading}
    />
  );
}

/** The credit ledger of a meter, latest entries first. */
export function CreditLedger({ meter }: { meter: FragmentType<typeof CreditLedger_meter> | null }) {
  const of = meter && readFragment(CreditLedger_meter, meter);
  return (
    <CreditEntries
      label={`Credit ledger${of ? ` of ${of.meter.name}` : ''}`}
      entries={of ? [...of.creditEntries.nodes].reverse() : []}
      loading={of === null}
    />
  );
}
