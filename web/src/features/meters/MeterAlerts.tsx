import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';
import { alertColumns } from '../alerts/AlertCells';
import { useAlertsLive } from '../alerts/alertsLive';
import { NewAlert, type WatchedMeter } from '../alerts/NewAlert';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';

const MeterAlertsDocument = graphql(`
  query MeterAlerts($meterId: ID!, $after: String) {
    usageAlerts(meterId: $meterId, first: 20, after: $after) {
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

const COLUMNS = alertColumns({ of: 'meter' });

interface Of {
  meter: WatchedMeter;
}

/** The alerts that watch a meter, and for whom they triggered last. */
export function MeterAlerts(props: Of) {
  return (
    <IfAllowed scope="ALERTS_READ">
      <Alerts {...props} />
    </IfAllowed>
  );
}

function Alerts({ meter }: Of) {
  const list = useList({
    query: MeterAlertsDocument,
    variables: { meterId: meter.id },
    connection: (data) => data.usageAlerts,
  });
  useAlertsLive(list.retry);
  const create = <NewAlert meter={meter} onCreated={list.retry} />;
  return (
    <Card title="Alerts" tools={create} flush>
      <ListTable
        label="Alerts of the meter"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No alerts watch this meter">
            An alert triggers when the usage or the credit of a customer reaches a threshold.
          </Empty>
        }
      />
    </Card>
  );
}
