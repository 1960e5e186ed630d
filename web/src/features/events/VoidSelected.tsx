/** Selects events in a list, to void them. */
import { lazy, Suspense, useMemo, useState } from 'react';
import { readFragment } from '../../api/generated';
import { Button } from '../../ui/Button';
import type { Column } from '../../ui/Table';
import { usePermission } from '../access/permissions';
import { EventCells_event, type EventRow, eventColumns } from './EventCells';
import styles from './Events.module.css';

const VoidEventsDialog = lazy(async () => ({
  default: (await import('./VoidEventsDialog')).VoidEventsDialog,
}));

const COLUMNS = eventColumns({ withCustomer: true });

/** Boxes in front of the rows, for tokens that may void events. */
export function useSelection(rows: readonly EventRow[]) {
  const mayVoid = usePermission('BILLING_WRITE') === 'yes';
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const columns = useMemo(() => {
    const toggle = (id: string) =>
      setChosen(
        (old) => new Set(old.has(id) ? [...old].filter((one) => one !== id) : [...old, id]),
      );
    return mayVoid ? [selectColumn(chosen, toggle), ...COLUMNS] : COLUMNS;
  }, [mayVoid, chosen]);
  const selected = rows.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  return { columns, selected, clear: () => setChosen(new Set()) };
}

function selectColumn(chosen: ReadonlySet<string>, toggle: (id: string) => void): Column<EventRow> {
  return {
    title: 'Select',
    hidesTitle: true,
    nowrap: true,
    cell: (row) => {
      const { id, name, voidedAt } = readFragment(EventCells_event, row);
      return (
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={chosen.has(id)}
          disabled={voidedAt !== null}
          onChange={() => toggle(id)}
        />
      );
    },
  };
}

/** What can be done with the selected events. */
export function VoidSelected({
  ids,
  onClear,
  onDone,
}: {
  ids: readonly string[];
  onClear(): void;
  onDone(): void;
}) {
  const [asked, setAsked] = useState<readonly string[] | null>(null);
  return (
    <div className={styles.selection}>
      <Button small onClick={() => setAsked(ids)}>
        {ids.length === 1 ? 'Void 1 event…' : `Void ${ids.length} events…`}
      </Button>
      <Button small look="quiet" onClick={onClear}>
        Clear selection
      </Button>
      <Suspense>
        {asked && <VoidEventsDialog ids={asked} onClose={() => setAsked(null)} onDone={onDone} />}
      </Suspense>
    </div>
  );
}
