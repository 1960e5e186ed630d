import { type ReactNode, useMemo } from 'react';
import { Card } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import type { List } from '../listing/useList';
import { ArchivedBefore } from './ArchivedBefore';
import { type EventRow, eventColumns } from './EventCells';

/** The events of something, the latest first. */
export function EventsCard({
  title,
  label,
  list,
  start,
  ofOneCustomer = false,
  property = null,
  empty,
}: {
  title: string;
  label: string;
  list: List<unknown, EventRow>;
  /** Where its range begins. */
  start: string;
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
      <ArchivedBefore start={start} />
    </Card>
  );
}
