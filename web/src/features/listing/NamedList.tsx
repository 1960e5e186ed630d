import type { ReactNode } from 'react';
import { Empty } from '../../ui/Empty';
import { Checkbox } from '../../ui/Field';
import { Card } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { useFilters } from './filters';
import { ListTable } from './ListTable';
import { SearchTool } from './SearchTool';
import type { List } from './useList';

/** All things of a kind that have names and can be archived, found by their names. */
export function NamedList<Row extends { id: string }>({
  what,
  list,
  columns,
  includeArchived,
  onIncludeArchived,
  about,
  action,
}: {
  /** Such as “meter”. */
  what: string;
  list: List<unknown, Row>;
  columns: readonly Column<Row>[];
  includeArchived: boolean;
  onIncludeArchived(includeArchived: boolean): void;
  /** What one is, where there is none yet. */
  about: string;
  /** Makes the first. */
  action: ReactNode;
}) {
  const [{ q }] = useFilters();
  return (
    <Card
      title={`All ${what}s`}
      flush
      tools={
        <>
          <SearchTool label="Search by name" />
          <Checkbox label="Show archived" checked={includeArchived} onChange={onIncludeArchived} />
        </>
      }
    >
      <ListTable
        label={`${what[0]?.toUpperCase()}${what.slice(1)}s`}
        list={list}
        columns={columns}
        empty={
          q ? (
            <Empty title={`No ${what} matches`}>The search looks at names only.</Empty>
          ) : (
            <Empty title={`No ${what}s yet`} action={action}>
              {about}
            </Empty>
          )
        }
      />
    </Card>
  );
}
