import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';
import { auditColumns } from './AuditCells';

const History = graphql(`
  query History($id: ID!, $after: String) {
    auditEntries(objectId: $id, first: 20, after: $after) {
      nodes {
        id
        ...AuditCells_entry
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const COLUMNS = auditColumns({ withObject: false });

/** The changes of an object and of what belongs to it, latest first. */
export function HistoryList({ id }: { id: string }) {
  const list = useList({
    query: History,
    variables: { id },
    connection: (data) => data.auditEntries,
  });
  return (
    <ListTable
      label="History"
      list={list}
      columns={COLUMNS}
      empty={<Empty title="No changes">Nothing has changed since the audit log began.</Empty>}
    />
  );
}
