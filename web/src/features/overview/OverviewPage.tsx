import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { OverviewQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { formatDecimal } from '../../format/decimals';
import { intervalsOf } from '../../format/ranges';
import type { Interval } from '../../format/time';
import { TimeChart } from '../../ui/chart/TimeChart';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { Card, Columns, PageHead, Stack } from '../../ui/Surface';
import { mergingOf } from '../meters/aggregation';
import { ViewTools } from '../viewing/ViewTools';
import { useView } from '../viewing/view';

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
      {meters?.length === 0 ? (
        <Card flush>
          <Empty title="Nothing to count with yet">
            Make a meter, and send events: usage appears here as it happens.
          </Empty>
        </Card>
      ) : (
        !(error && meters === undefined) && (
          <Columns>
            {meters
              ? meters.map((meter) => (
                  <MeterCard key={meter.id} meter={meter} interval={interval} />
                ))
              : ['first', 'second', 'third', 'fourth'].map((key) => (
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
        )
      )}
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

/** What somebody should look at; nothing where all is well. */
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
              ? `${formatDecimal(String(failedEvents))} events wait because counting fails. The meter’s page says why.`
              : `${formatDecimal(String(pendingEvents))} events are waiting to be counted.`,
        }}
      />
    ));
}
