import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { AggregationFunction } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import type { Bounds } from '../../format/ranges';
import type { Interval } from '../../format/time';
import { Button } from '../../ui/Button';
import type { Point } from '../../ui/chart/series';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { useAgain } from '../../ui/useAgain';
import { Grouped } from '../grouping/Grouped';
import type { Grouping } from '../viewing/grouping';
import { useView } from '../viewing/view';

const MeterGroupsDocument = graphql(`
  query MeterGroups(
    $id: ID!
    $start: DateTime!
    $end: DateTime!
    $interval: Interval!
    $zone: String!
    $customerId: ID
    $by: [String!]!
  ) {
    meter(id: $id) {
      id
      quantities(
        start: $start
        end: $end
        interval: $interval
        timezone: $zone
        customerId: $customerId
        groupBy: $by
      ) {
        ...Grouped_quantities
      }
    }
  }
`);

/** Usage of a meter by dimension, of all customers or of one. */
export function MeterGroups({
  meter,
  by,
  grouping,
  bounds,
  interval,
  zone,
  customerId,
  moved,
  asTable,
  height,
  onPick,
}: {
  meter: {
    id: string;
    name: string;
    unit?: string | null;
    aggregation: { function: AggregationFunction };
  };
  by: readonly string[];
  grouping: Grouping;
  bounds: Bounds;
  interval: Interval;
  zone: string;
  customerId: string | null;
  /** Another whenever usage has changed. */
  moved: unknown;
  asTable?: boolean;
  height?: number;
  onPick?: ((point: Point) => void) | undefined;
}) {
  const [{ data, error }, again] = useQuery({
    query: MeterGroupsDocument,
    variables: { id: meter.id, ...bounds, interval, zone, customerId, by: [...by] },
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  const { setZone } = useView();
  if (error && !data?.meter) {
    const problem = problemOf(error);
    // Days of some zones begin within an hour.
    const isOfZone = problem.code === 'EVENTS_ARCHIVED' && zone !== 'UTC';
    return isOfZone ? (
      <ErrorPanel
        problem={problem}
        action={
          <Button small onClick={() => setZone('UTC')}>
            Show in UTC
          </Button>
        }
      />
    ) : (
      <ErrorPanel problem={problem} onRetry={refresh} />
    );
  }
  return (
    <Grouped
      name={meter.name}
      unit={meter.unit ?? null}
      function={meter.aggregation.function}
      quantities={data?.meter?.quantities}
      choice={grouping.choice}
      setChoice={grouping.setChoice}
      {...{ by, interval, onPick }}
      {...(asTable !== undefined && { asTable })}
      {...(height !== undefined && { height })}
    />
  );
}
