import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { FilterText_filter } from './FilterText';
import { filterValues, type MeterValues, type StoredFilter } from './meterValues';

export const EditedMeter = graphql(`
  fragment EditedMeter on Meter {
    id
    name
    unit
    isLocked
    archivedAt
    dimensions
    aggregation {
      function
      property
      carriesOver
    }
    filter {
      ...FilterText_filter
    }
  }
`);

export function meterValues(of: FragmentType<typeof EditedMeter>): MeterValues {
  const { name, unit, filter, aggregation, dimensions } = readFragment(EditedMeter, of);
  return {
    name,
    unit: unit ?? '',
    filter: filterValues(readFragment(FilterText_filter, filter) as StoredFilter),
    aggregation: { ...aggregation, property: aggregation.property ?? '' },
    dimensions: dimensions.map((property) => ({ property })),
  };
}
