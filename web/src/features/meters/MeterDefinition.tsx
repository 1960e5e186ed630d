import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Id } from '../../ui/Code';
import { Quantity, RelativeTime, Time } from '../../ui/Figures';
import { Card, Columns, KeyValue, KeyValues } from '../../ui/Surface';
import { describeAggregation } from './aggregation';
import { FilterText } from './FilterText';

export const MeterDefinition_meter = graphql(`
  fragment MeterDefinition_meter on Meter {
    id
    unit
    createdAt
    isLocked
    dimensions
    aggregation {
      function
      property
      carriesOver
    }
    filter {
      ...FilterText_filter
    }
    progress {
      countedEvents
      skippedEvents
      completeThrough
      problems
    }
  }
`);

/** What a meter counts, and how far it has come. */
export function MeterDefinition({
  meter: of,
}: {
  meter: FragmentType<typeof MeterDefinition_meter>;
}) {
  const meter = readFragment(MeterDefinition_meter, of);
  const { progress } = meter;
  return (
    <Columns>
      <Card title="Definition">
        <KeyValues>
          <KeyValue name="Counts">{describeAggregation(meter.aggregation)}</KeyValue>
          <KeyValue name="Events">
            <FilterText filter={meter.filter} />
          </KeyValue>
          <KeyValue name="Dimensions">
            {meter.dimensions.length > 0 ? <bdi>{meter.dimensions.join(', ')}</bdi> : 'None'}
          </KeyValue>
          <KeyValue name="Unit">{meter.unit ?? 'None'}</KeyValue>
          <KeyValue name="Can be edited">
            {meter.isLocked
              ? 'Only its name, unit and dimensions. It has counted events, and invoices may depend on them.'
              : 'Yes, until it has counted its first event.'}
          </KeyValue>
          <KeyValue name="Created">
            <Time at={meter.createdAt} />
          </KeyValue>
          <KeyValue name="ID">
            <Id value={meter.id} label="meter ID" />
          </KeyValue>
        </KeyValues>
      </Card>
      <Card title="Progress">
        <KeyValues>
          <KeyValue name="Counted events">
            <Quantity value={String(progress.countedEvents)} />
          </KeyValue>
          <KeyValue name="Events without a number">
            <Quantity value={String(progress.skippedEvents)} />
          </KeyValue>
          <KeyValue name="Complete through">
            <RelativeTime at={progress.completeThrough} />
          </KeyValue>
          {progress.problems.map((problem) => (
            <KeyValue key={problem} name="Counting fails">
              {problem}
            </KeyValue>
          ))}
        </KeyValues>
      </Card>
    </Columns>
  );
}
