import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import type { AggregationFunction } from '../api/generated/graphql';
import { problemOf } from '../api/problems';
import { Grouped } from '../features/grouping/Grouped';
import { ALL, type Choice } from '../features/grouping/groups';
import { ErrorPanel } from '../ui/ErrorPanel';
import { useAgain } from '../ui/useAgain';

const GroupedUsageDocument = graphql(`
  query GroupedUsage(
    $id: ID!
    $start: DateTime!
    $end: DateTime!
    $zone: String!
    $by: [String!]!
  ) {
    viewer {
      id
      meter(id: $id) {
        id
        meter {
          id
          quantities(start: $start, end: $end, interval: DAY, timezone: $zone, groupBy: $by) {
            ...Grouped_quantities
          }
        }
      }
    }
  }
`);

/** The customer’s usage of a meter by day, by dimension. */
export function GroupedUsage({
  meter,
  by,
  bounds,
  zone,
  moved,
  asTable,
}: {
  meter: {
    id: string;
    name: string;
    unit?: string | null;
    aggregation: { function: AggregationFunction };
  };
  by: readonly string[];
  bounds: { start: string; end: string };
  zone: string;
  /** Another whenever usage has changed. */
  moved: number;
  asTable: boolean;
}) {
  const [choice, setChoice] = useState<Choice>(ALL);
  const [{ data, error }, again] = useQuery({
    query: GroupedUsageDocument,
    variables: { id: meter.id, ...bounds, zone, by: [...by] },
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  if (error && !data?.viewer?.meter) {
    return <ErrorPanel problem={problemOf(error)} onRetry={refresh} />;
  }
  return (
    <Grouped
      name={meter.name}
      unit={meter.unit ?? null}
      function={meter.aggregation.function}
      quantities={data?.viewer?.meter?.meter.quantities}
      interval="DAY"
      height={150}
      {...{ by, choice, setChoice, asTable }}
    />
  );
}
