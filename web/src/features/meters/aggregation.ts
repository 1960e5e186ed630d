import type { AggregationFunction } from '../../api/generated/graphql';
import type { Merging } from '../../ui/chart/series';

const NAMES: Record<AggregationFunction, string> = {
  AVERAGE: 'Average of',
  COUNT: 'Count',
  LATEST: 'Latest',
  MAXIMUM: 'Maximum of',
  MINIMUM: 'Minimum of',
  SUM: 'Sum of',
  TIME_WEIGHTED: 'Time-weighted',
  UNIQUE: 'Unique values of',
};

/** Sum of total_tokens. */
export function describeAggregation(of: {
  function: AggregationFunction;
  property?: string | null;
  carriesOver: boolean;
}): string {
  if (!of.property) {
    return 'Count of events';
  }
  return `${NAMES[of.function]} ${of.property}${of.carriesOver ? ', carried over' : ''}`;
}

/** How its points may be drawn as one. */
export function mergingOf(of: AggregationFunction): Merging {
  return of === 'SUM' || of === 'COUNT' || of === 'TIME_WEIGHTED' ? 'sum' : 'highest';
}
