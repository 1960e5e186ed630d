import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { MeterPageQuery } from '../../api/generated/graphql';
import { type Bounds, intervalsOf } from '../../format/ranges';
import type { Interval } from '../../format/time';
import { Card, PageHead } from '../../ui/Surface';
import { History } from '../audit/History';
import { useFilters } from '../listing/filters';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import { ViewTools } from '../viewing/ViewTools';
import { useView } from '../viewing/view';
import { describeAggregation } from './aggregation';
import { FilterText } from './FilterText';
import { MeterActions } from './MeterActions';
import { MeterAlerts } from './MeterAlerts';
import { MeterCustomers } from './MeterCustomers';
import { MeterDefinition } from './MeterDefinition';
import { MeterEvents } from './MeterEvents';
import { CatchingUp, MeterState } from './MeterProgress';
import { MeterUsage } from './MeterUsage';
import { TopCustomers } from './TopCustomers';

const MeterPageDocument = graphql(`
  query MeterPage(
    $id: ID!
    $start: DateTime!
    $end: DateTime!
    $beforeStart: DateTime!
    $beforeEnd: DateTime!
    $compares: Boolean!
    $interval: Interval!
    $zone: String!
    $customerId: ID
  ) {
    meter(id: $id) {
      id
      name
      unit
      aggregation {
        function
        property
        carriesOver
      }
      filter {
        ...FilterText_filter
      }
      ...MeterActions_meter
      ...MeterDefinition_meter
      ...MeterProgress_meter
      ...MeterUsage_meter
    }
  }
`);

type Meter = NonNullable<MeterPageQuery['meter']>;

export function MeterPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const view = useView();
  const [{ customer }] = useFilters();
  const [compares, setCompares] = useState(true);
  const [chosen, setChosen] = useState<Interval | null>(null);
  const intervals = intervalsOf(view.bounds);
  const interval = chosen && intervals.includes(chosen) ? chosen : (intervals[0] ?? 'DAY');
  const [{ data, error, fetching }, again] = useQuery({
    query: MeterPageDocument,
    variables: {
      id,
      ...view.bounds,
      beforeStart: view.before.start,
      beforeEnd: view.before.end,
      compares,
      interval,
      zone: view.zone,
      customerId: customer ?? null,
    },
  });
  const [moved, setMoved] = useState(0);
  const refresh = () => {
    again({ requestPolicy: 'network-only' });
    setMoved((times) => times + 1);
  };
  useUsageLive({ meterId: id }, refresh);
  return (
    <Loaded what="meter" value={data?.meter} error={error} onRetry={refresh}>
      {(meter) => (
        <>
          <Head meter={meter} />
          <CatchingUp meter={meter} onWait={refresh} />
          <MeterUsage
            {...{ meter, view, interval, intervals, compares, setCompares, moved }}
            customerId={customer ?? null}
            isFetching={fetching}
            setInterval={setChosen}
          />
          {!customer && <Customers meter={meter} bounds={view.bounds} />}
          {!customer && <MeterAlerts meter={meter} />}
          <MeterEvents
            meterId={meter.id}
            property={meter.aggregation.property ?? null}
            bounds={view.bounds}
            customerId={customer ?? null}
          />
          <MeterDefinition meter={meter} />
          <History id={meter.id} />
        </>
      )}
    </Loaded>
  );
}

/** What is about all customers. */
function Customers({ meter, bounds }: { meter: Meter; bounds: Bounds }) {
  const unit = meter.unit ?? null;
  return (
    <>
      <Card title="Top customers" flush>
        <TopCustomers meterId={meter.id} unit={unit} bounds={bounds} first={10} />
      </Card>
      <MeterCustomers meterId={meter.id} unit={unit} />
    </>
  );
}

function Head({ meter }: { meter: Meter }) {
  return (
    <PageHead
      above={<Link to="/meters">Meters</Link>}
      title={meter.name}
      badge={<MeterState meter={meter} />}
      about={
        <>
          {describeAggregation(meter.aggregation)} where <FilterText filter={meter.filter} />
        </>
      }
      tools={
        <>
          <ViewTools />
          <MeterActions meter={meter} />
        </>
      }
    />
  );
}
