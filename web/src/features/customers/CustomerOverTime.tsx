import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { CustomerOverTimeQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { intervalsOf } from '../../format/ranges';
import { TimeChart } from '../../ui/chart/TimeChart';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { Card, Columns, Stack, Tools } from '../../ui/Surface';
import { useAgain } from '../../ui/useAgain';
import { GroupBySelect } from '../grouping/GroupBySelect';
import { groupingsOf } from '../grouping/groups';
import { mergingOf } from '../meters/aggregation';
import { MeterGroups } from '../meters/MeterGroups';
import { useGrouping } from '../viewing/grouping';
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
          dimensions
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

type Series = NonNullable<CustomerOverTimeQuery['customer']>['quantities'][number];

/** A customer’s usage of each meter over the range; by dimension, of the meters that have it. */
export function CustomerOverTime({
  id,
  moved,
}: {
  id: string;
  /** Another whenever usage has changed. */
  moved: unknown;
}) {
  const { bounds, zone } = useView();
  const grouping = useGrouping();
  const interval = intervalsOf(bounds)[0] ?? 'DAY';
  const [{ data, error }, again] = useQuery({
    query: CustomerOverTimeDocument,
    variables: { id, ...bounds, interval, zone },
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  if (error && !data?.customer) {
    return <ErrorPanel problem={problemOf(error)} onRetry={refresh} />;
  }
  const all = data?.customer?.quantities ?? [];
  const groupings = differing(all.flatMap(({ meter }) => groupingsOf(meter.dimensions)));
  const by = groupings.find((each) => isSame(each, grouping.by)) ?? [];
  const isGrouped = ({ meter: { dimensions } }: Series) =>
    by.length > 0 && by.every((each) => dimensions.includes(each));
  return (
    <Stack>
      {groupings.length > 0 && (
        <Tools>
          <GroupBySelect groupings={groupings} by={by} onChange={grouping.setBy} />
        </Tools>
      )}
      {all.filter(isGrouped).map((one) => (
        <Card key={one.meter.id} title={one.meter.name} tools={<Total of={one} />}>
          <MeterGroups
            meter={one.meter}
            customerId={id}
            height={220}
            {...{ by, grouping, bounds, interval, zone, moved }}
          />
        </Card>
      ))}
      <Columns>
        {all
          .filter((one) => !isGrouped(one))
          .map((one) => (
            <Card key={one.meter.id} title={one.meter.name} tools={<Total of={one} />}>
              <TimeChart
                label={`Usage of ${one.meter.name}`}
                series={[{ name: one.meter.name, points: one.quantities.points }]}
                kind={interval === 'HOUR' ? 'area' : 'bar'}
                interval={interval}
                unit={one.meter.unit ?? null}
                merging={mergingOf(one.meter.aggregation.function)}
                completeThrough={one.quantities.completeThrough}
                height={150}
              />
            </Card>
          ))}
      </Columns>
    </Stack>
  );
}

function Total({ of: { meter, quantities } }: { of: Series }) {
  return (
    <strong>
      <Quantity
        value={quantities.total ?? null}
        unit={meter.unit ?? null}
        compact
        completeThrough={quantities.completeThrough}
      />
    </strong>
  );
}

type By = readonly string[];

function isSame(one: By, other: By): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Each once, in their order. */
function differing(groupings: readonly By[]): By[] {
  return groupings.filter(
    (each, place) => groupings.findIndex((other) => isSame(each, other)) === place,
  );
}
