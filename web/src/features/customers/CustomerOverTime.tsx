import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { intervalsOf } from '../../format/ranges';
import { TimeChart } from '../../ui/chart/TimeChart';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { Card, Columns } from '../../ui/Surface';
import { mergingOf } from '../meters/aggregation';
import { useView } from '../viewing/view';

const CustomerOverTimeDocument = graphql(`
  query CustomerOverTime(
    $id: ID!
    $start: DateTime!
    $end: DateTime!
    $interval: Interval!
    $zone: String!
  ) {
    customer(id: $id) {
      id
      quantities(start: $start, end: $end, interval: $interval, timezone: $zone) {
        meter {
          id
          name
          unit
          aggregation {
            function
          }
        }
        quantities {
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

/** A customer’s usage of each meter over the range. */
export function CustomerOverTime({ id }: { id: string }) {
  const { bounds, zone } = useView();
  const interval = intervalsOf(bounds)[0] ?? 'DAY';
  const [{ data, error }, again] = useQuery({
    query: CustomerOverTimeDocument,
    variables: { id, ...bounds, interval, zone },
  });
  if (error && data === undefined) {
    return (
      <ErrorPanel
        problem={problemOf(error)}
        onRetry={() => again({ requestPolicy: 'network-only' })}
      />
    );
  }
  return (
    <Columns>
      {data?.customer?.quantities.map(({ meter, quantities }) => (
        <Card
          key={meter.id}
          title={meter.name}
          tools={
            <strong>
              <Quantity
                value={quantities.total ?? null}
                unit={meter.unit ?? null}
                compact
                completeThrough={quantities.completeThrough}
              />
            </strong>
          }
        >
          <TimeChart
            label={`Usage of ${meter.name}`}
            series={[{ name: meter.name, points: quantities.points }]}
            kind={interval === 'HOUR' ? 'area' : 'bar'}
            interval={interval}
            unit={meter.unit ?? null}
            merging={mergingOf(meter.aggregation.function)}
            completeThrough={quantities.completeThrough}
            height={150}
          />
        </Card>
      ))}
    </Columns>
  );
}
