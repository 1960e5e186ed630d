import { Link } from '@tanstack/react-router';
import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { Allowed } from '../access/permissions';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { auditColumns } from './AuditCells';

const AuditLog = graphql(`
  query AuditLog($first: Int!, $after: String) {
    auditEntries(first: $first, after: $after) {
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

const COLUMNS = auditColumns({ withObject: true });

export function AuditLogPage() {
  return (
    <Stack>
      <PageHead
        above={<Link to="/settings">Settings</Link>}
        title="Audit log"
        about="Who changed what, and when. Entries never change."
      />
      <Allowed scope="AUDIT_READ">
        <Entries />
      </Allowed>
    </Stack>
  );
}

function Entries() {
  const list = useList({
    query: AuditLog,
    variables: { first: PAGE },
    connection: (data) => data.auditEntries,
  });
  return (
    <Card title="All changes" flush>
      <ListTable
        label="Audit log"
        list={list}
        columns={COLUMNS}
        empty={<Empty title="No changes yet">Sending events leaves no entry.</Empty>}
      />
    </Card>
  );
}
