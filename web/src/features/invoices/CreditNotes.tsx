import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Money, Time } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';
import styles from './Invoice.module.css';

export const CreditNotes_note = graphql(`
  fragment CreditNotes_note on CreditNote {
    id
    number
    amount
    reason
    refunded
    issuedAt
  }
`);

type Note = FragmentType<typeof CreditNotes_note>;

/** What credit notes take off an invoice. */
export function CreditNotes({ notes, currency }: { notes: readonly Note[]; currency: string }) {
  const columns: Column<Note>[] = [
    {
      title: 'Credit note',
      isName: true,
      cell: (note) => {
        const { number, reason, refunded } = readFragment(CreditNotes_note, note);
        return (
          <>
            {number}
            <div className={styles.lineNote}>
              <bdi>{reason}</bdi>
              <div>
                {refunded ? 'Settled outside Metergraph' : 'Deducted from the next invoices'}
              </div>
            </div>
          </>
        );
      },
    },
    {
      title: 'Issued',
      nowrap: true,
      cell: (note) => <Time at={readFragment(CreditNotes_note, note).issuedAt} day />,
    },
    {
      title: 'Amount',
      isNumber: true,
      cell: (note) => (
        <Money amount={-readFragment(CreditNotes_note, note).amount} currency={currency} />
      ),
    },
  ];
  return (
    <Table
      label="Credit notes"
      columns={columns}
      rows={notes}
      keyOf={(note) => readFragment(CreditNotes_note, note).id}
    />
  );
}
