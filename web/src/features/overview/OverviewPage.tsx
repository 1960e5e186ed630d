import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { OverviewQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { formatDecimal } from '../../format/decimals';
import { intervalsOf } from '../../format/ranges';
import type { Interval } from '../../format/time';
import { buttonClass } from '../../ui/Button';
import { TimeChart } from '../../ui/chart/TimeChart';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { ToolSelect } from '../../ui/Field';
import { Quantity } from '../../ui/Figures';
import { Card, Columns, PageHead, Stack } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';
import { mergingOf } from '../meters/aggregation';
import { TopCustomers } from '../meters/TopCustomers';
import { ViewTools } from '../viewing/ViewTools';
import { useView } from '../viewing/view';
import { FirstSteps } from './FirstSteps';
import { LatestInvoices, Withheld } from './OverviewBilling';
import { RevenueCard } from './RevenueCard';

const Overview = graphql(`
  query Overview($start: DateTime!, $end: DateTime!, $interval: Interval!, $zone: String!) {
    meters(first: 12) {
      nodes {
        id
        name
        unit
        aggregation {
          function
        }
        progress {
          pendingEvents
          failedEvents
        }
        quantities(start: $start, end: $end, interval: $interval, timezone: $zone) {
          points {
            start
            end
            quantity
          }
          total
          completeThrough
        }
      }
    }
  }
`);

type Meter = OverviewQuery['meters']['nodes'][number];

/** Above so many, a meter is behind, and not merely busy. */
const BEHIND = 1000;

export function OverviewPage() {
  const { bounds, zone } = useView();
  const interval = intervalsOf(bounds)[0] ?? 'DAY';
  const [{ data, error }, again] = useQuery({
    query: Overview,
    variables: { ...bounds, interval, zone },
  });
  const meters = data?.meters.nodes;
  return (
    <Stack>
      <PageHead title="Overview" tools={<ViewTools />} />
      {error && (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      )}
      <Attention meters={meters ?? []} />
      <IfAllowed scope="BILLING_READ">
        <Withheld />
      </IfAllowed>
      <FirstSteps />
      {!(error && meters === undefined) && meters?.length !== 0 && (
        <Columns>
          {meters
            ? meters.map((meter) => <MeterCard key={meter.id} meter={meter} interval={interval} />)
            : ['first', 'second', 'third'].map((key) => (
                <Card key={key}>
                  <TimeChart
                    label="Loading"
                    loading
                    series={[]}
                    interval="DAY"
                    merging="sum"
                    height={200}
                  />
                </Card>
              ))}
        </Columns>
      )}
      {/* It loads beside the meters, and shows once their number says where it stands. */}
      <div hidden={(meters === undefined && !error) || meters?.length === 0}>
        <Stack>
          <Columns>
            {meters && <TopByMeter meters={meters} />}
            <IfAllowed scope="BILLING_READ">
              <RevenueCard />
            </IfAllowed>
          </Columns>
          <IfAllowed scope="BILLING_READ">
            <LatestInvoices />
          </IfAllowed>
        </Stack>
      </div>
    </Stack>
  );
}

function MeterCard({ meter, interval }: { meter: Meter; interval: Interval }) {
  const { id, name, unit, quantities, aggregation } = meter;
  return (
    <Card
      title={name}
      tools={
        <Link to="/meters/$id" params={{ id }}>
          <strong>
            <Quantity
              value={quantities.total ?? null}
              unit={unit ?? null}
              compact
              completeThrough={quantities.completeThrough}
            />
          </strong>
        </Link>
      }
    >
      <TimeChart
        label={`Usage of ${name}`}
        series={[{ name, points: quantities.points }]}
        kind={interval === 'HOUR' ? 'area' : 'bar'}
        interval={interval}
        unit={unit ?? null}
        merging={mergingOf(aggregation.function)}
        completeThrough={quantities.completeThrough}
        height={170}
      />
    </Card>
  );
}

/** Meters that somebody should look at; nothing where all is well. */
function Attention({ meters }: { meters: readonly Meter[] }) {
  return meters
    .filter(({ progress }) => progress.failedEvents > 0 || progress.pendingEvents > BEHIND)
    .map(({ id, name, progress: { failedEvents, pendingEvents } }) => (
      <ErrorPanel
        key={id}
        problem={{
          kind: 'internal',
          title: name,
          advice:
            failedEvents > 0
              ? `${formatDecimal(String(failedEvents))} events are waiting because counting fails.`
              : `${formatDecimal(String(pendingEvents))} events are waiting to be counted.`,
        }}
        action={
          <Link to="/meters/$id" params={{ id }} className={buttonClass({ small: true })}>
            Show meter
          </Link>
        }
      />
    ));
}

function TopByMeter({ meters }: { meters: readonly Meter[] }) {
  const { bounds } = useView();
  const [chosen, setChosen] = useState<string | null>(null);
  const meter = meters.find(({ id }) => id === chosen) ?? meters[0];
  return (
    meter && (
      <Card
        title="Top customers"
        flush
        tools={
          <ToolSelect
            label="Meter"
            value={meter.id}
            options={meters.map(({ id, name }) => ({ value: id, label: name }))}
            onChange={setChosen}
          />
        }
      >
        <TopCustomers meterId={meter.id} unit={meter.unit ?? null} bounds={bounds} first={5} />
      </Card>
    )
  );
}
