import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { Allowed } from '../access/permissions';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { alertColumns } from './AlertCells';
import { useAlertsLive } from './alertsLive';
import { NewAlert } from './NewAlert';

const UsageAlerts = graphql(`
  query UsageAlerts($after: String, $first: Int!) {
    usageAlerts(first: $first, after: $after) {
      nodes {
        id
        ...AlertCells_alert
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const COLUMNS = alertColumns({ of: 'all' });

export function AlertsPage() {
  return (
    <Stack>
      <PageHead
        title="Alerts"
        about="Each triggers once per customer and period, when a number reaches its threshold."
        tools={<NewAlert look="primary" />}
      />
      <Allowed scope="ALERTS_READ">
        <Alerts />
      </Allowed>
    </Stack>
  );
}

function Alerts() {
  const list = useList({
    query: UsageAlerts,
    variables: { first: PAGE },
    connection: (data) => data.usageAlerts,
  });
  useAlertsLive(list.retry);
  return (
    <Card title="All alerts" flush>
      <ListTable
        label="Alerts"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No alerts yet" action={<NewAlert look="primary" />}>
            An alert watches the usage, the credit or the charges of one customer or of each.
          </Empty>
        }
      />
    </Card>
  );
}
