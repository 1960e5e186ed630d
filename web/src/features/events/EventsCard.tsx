import { type ReactNode, useMemo } from 'react';
import { Card } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import type { List } from '../listing/useList';
import { type EventRow, eventColumns } from './EventCells';

/** The events of something, the latest first. */
export function EventsCard({
  title,
  label,
  list,
  ofOneCustomer = false,
  property = null,
  empty,
}: {
  title: string;
  label: string;
  list: List<unknown, EventRow>;
  ofOneCustomer?: boolean;
  /** Has a column of its own. */
  property?: string | null;
  empty: ReactNode;
}) {
  const columns = useMemo(
    () => eventColumns({ withCustomer: !ofOneCustomer, property }),
    [ofOneCustomer, property],
  );
  return (
    <Card title={title} flush>
      <ListTable label={label} list={list} columns={columns} empty={empty} />
    </Card>
  );
}
