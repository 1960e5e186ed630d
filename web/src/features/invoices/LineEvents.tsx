import { useMemo } from 'react';
import { Empty } from '../../ui/Empty';
import { type EventRow, eventColumns } from '../events/EventCells';
import { ListTable } from '../listing/ListTable';
import type { List } from '../listing/useList';

/** The events that a line charges, with what the meter takes of each. */
export function LineEvents({
  list,
  property,
}: {
  list: List<unknown, EventRow>;
  property: string | null;
}) {
  const columns = useMemo(() => eventColumns({ withCustomer: false, property }), [property]);
  return (
    <ListTable
      label="Events of the line"
      list={list}
      columns={columns}
      empty={<Empty title="No events">Nothing was used.</Empty>}
    />
  );
}
