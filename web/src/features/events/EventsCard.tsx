import type { ReactNode } from 'react';
import { Card } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import type { List } from '../listing/useList';
import { type EventRow, eventColumns } from './EventCells';

const COLUMNS = eventColumns({ withCustomer: true });
const OF_ONE_CUSTOMER = eventColumns({ withCustomer: false });

/** The events of something, the latest first. */
export function EventsCard({
  title,
  label,
  list,
  ofOneCustomer = false,
  empty,
}: {
  title: string;
  label: string;
  list: List<unknown, EventRow>;
  ofOneCustomer?: boolean;
  empty: ReactNode;
}) {
  return (
    <Card title={title} flush>
      <ListTable
        label={label}
        list={list}
        columns={ofOneCustomer ? OF_ONE_CUSTOMER : COLUMNS}
        empty={empty}
      />
    </Card>
  );
}
