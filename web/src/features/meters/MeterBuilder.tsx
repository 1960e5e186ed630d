import type { ReactNode } from 'react';
import { useFormContext, useWatch } from 'react-hook-form';
import type { AggregationFunction } from '../../api/generated/graphql';
import type { Option } from '../../ui/Field';
import { Card, Stack } from '../../ui/Surface';
import { CheckInput, ChoiceInput, Row, SuggestedInput, TextInput } from '../forms/fields';
import styles from './Builder.module.css';
import { FilterEditor } from './FilterEditor';
import { MeterPreview } from './MeterPreview';
import { canCarryOver, type MeterValues, namesIn, propertiesOf } from './meterValues';
import { useKnownEvents } from './useKnownEvents';

const three = (come: number) => `For example, three events with 4, 10 and then 4 come to ${come}.`;

const EXAMPLES: Record<AggregationFunction, string> = {
  COUNT: three(3),
  SUM: three(18),
  AVERAGE: three(6),
  MINIMUM: three(4),
  MAXIMUM: three(10),
  UNIQUE: three(2),
  LATEST: three(4),
  TIME_WEIGHTED:
    'For example, an event with 4 gigabytes, and two hours later one with 10, come to 8 gigabyte-hours by then, and to 18 an hour later. A value lasts until the next event of the customer, also into the next period; an event with 0 ends it. Such a meter has no dimensions.',
};

const FUNCTIONS: Option<AggregationFunction>[] = [
  { value: 'COUNT', label: 'Count of events' },
  { value: 'SUM', label: 'Sum' },
  { value: 'AVERAGE', label: 'Average' },
  { value: 'MINIMUM', label: 'Minimum' },
  { value: 'MAXIMUM', label: 'Maximum' },
  { value: 'UNIQUE', label: 'Number of distinct values' },
  { value: 'LATEST', label: 'Latest value' },
  { value: 'TIME_WEIGHTED', label: 'Value times hours' },
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
        <Stack>
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
          <p className={styles.note}>{EXAMPLES[aggregation.function]}</p>
          {canCarryOver(aggregation.function) && (
            <CheckInput
              name="aggregation.carriesOver"
              label="A value lasts until the next event"
              hint="As a number of seats does: after those three events, a month without any has 4. Such a meter has no dimensions."
            />
          )}
        </Stack>
      </Card>
    </>
  );
}
