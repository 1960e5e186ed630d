import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card } from '../../ui/Surface';
import { useAlertsLive } from '../alerts/alertsLive';
import { triggerColumns } from '../alerts/TriggerCells';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';

const CustomerAlertsDocument = graphql(`
  query CustomerAlerts($id: ID!, $after: String) {
    customer(id: $id) {
      id
      alertTriggers(first: 20, after: $after) {
        nodes {
          id
          ...TriggerCells_trigger
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const COLUMNS = triggerColumns({ of: 'customer' });

export function CustomerAlerts({ id }: { id: string }) {
  const list = useList({
    query: CustomerAlertsDocument,
    variables: { id },
    connection: (data) => data.customer?.alertTriggers,
  });
  useAlertsLive(list.retry);
  return (
    <Card title="Alerts that triggered" flush>
      <ListTable
        label="Alerts of the customer"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="Nothing has triggered">
            Alerts watch the usage, the credit and the charges of customers.
          </Empty>
        }
      />
    </Card>
  );
}
