import type { ReactNode } from 'react';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { type Column, Table } from '../../ui/Table';
import type { List } from './useList';

/** A list as a table, or what went wrong with it. */
export function ListTable<Row extends { id: string }>({
  label,
  list,
  columns,
  empty,
}: {
  label: string;
  list: List<unknown, Row>;
  columns: readonly Column<Row>[];
  empty: ReactNode;
}) {
  const { rows, loading, problem, more, retry } = list;
  if (problem !== null && rows.length === 0) {
    return <ErrorPanel problem={problem} onRetry={retry} inset />;
  }
  return (
    <>
      {problem !== null && <ErrorPanel problem={problem} onRetry={retry} inset />}
      <Table
        label={label}
        columns={columns}
        rows={rows}
        keyOf={({ id }) => id}
        loading={loading}
        more={more}
        empty={empty}
      />
    </>
  );
}
