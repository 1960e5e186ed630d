import type { ReactNode } from 'react';
import { useFormContext, useWatch } from 'react-hook-form';
import type { AggregationFunction } from '../../api/generated/graphql';
import type { Option } from '../../ui/Field';
import { Card, Stack } from '../../ui/Surface';
import { ChoiceInput, Row, SuggestedInput, TextInput } from '../forms/fields';
import styles from './Builder.module.css';
import { FilterEditor } from './FilterEditor';
import { MeterPreview } from './MeterPreview';
import { type MeterValues, namesIn, propertiesOf } from './meterValues';
import { useKnownEvents } from './useKnownEvents';

const FUNCTIONS: Option<AggregationFunction>[] = [
  { value: 'COUNT', label: 'Count of events' },
  { value: 'SUM', label: 'Sum' },
  { value: 'AVERAGE', label: 'Average' },
  { value: 'MINIMUM', label: 'Minimum' },
  { value: 'MAXIMUM', label: 'Maximum' },
  { value: 'UNIQUE', label: 'Number of distinct values' },
  { value: 'LATEST', label: 'Latest value' },
];

/** The fields of a meter, and beside them what it would count. */
export function MeterBuilder({ children }: { children: ReactNode }) {
  const unit = useWatch<MeterValues, 'unit'>({ name: 'unit' });
  return (
    <div className={styles.columns}>
      <div className={styles.main}>{children}</div>
      <div className={styles.aside}>
        <MeterPreview unit={unit} />
      </div>
    </div>
  );
}

export function NameFields() {
  return (
    <Card title="Meter">
      <Row>
        <TextInput name="name" label="Name" autoFocus placeholder="GPT-4.1 tokens" />
        <TextInput
          name="unit"
          label="Unit (optional)"
          hint="In the singular, such as token."
          placeholder="token"
        />
      </Row>
    </Card>
  );
}

export function DefinitionFields() {
  const events = useKnownEvents();
  const { control } = useFormContext<MeterValues>();
  const [filter, aggregation] = useWatch({ control, name: ['filter', 'aggregation'] });
  const properties = propertiesOf(events, namesIn(filter));
  const isUnique = aggregation.function === 'UNIQUE';
  return (
    <>
      <Card title="Which events">
        <Stack>
          <FilterEditor suggestions={{ names: events.map(({ name }) => name), properties }} />
          <p className={styles.note}>
            A property is <code>name</code>, <code>timestamp</code> or a path into the metadata,
            such as <code>usage.tokens</code>. A value is read as a number or as true or false if it
            is one, and as text otherwise.
          </p>
        </Stack>
      </Card>
      <Card title="How they are counted">
        <Row>
          <ChoiceInput name="aggregation.function" label="Usage is the" options={FUNCTIONS} />
          {aggregation.function !== 'COUNT' && (
            <SuggestedInput
              name="aggregation.property"
              label="Of the property"
              options={isUnique ? ['name', ...properties] : properties}
            />
          )}
        </Row>
      </Card>
    </>
  );
}
