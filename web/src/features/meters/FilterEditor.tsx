import { useId } from 'react';
import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import type { ClauseOperator, Conjunction } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import type { Option } from '../../ui/Field';
import { Icon } from '../../ui/Icon';
import { ChoiceInput, FieldMessage, SuggestedInput, TextInput } from '../forms/fields';
import styles from './Builder.module.css';
import { type ClauseValues, newClause, newGroup } from './meterValues';

export interface Suggestions {
  names: readonly string[];
  properties: readonly string[];
}

const CONJUNCTIONS: Option<Conjunction>[] = [
  { value: 'AND', label: 'all' },
  { value: 'OR', label: 'any' },
];

const SAME: Option<ClauseOperator>[] = [
  { value: 'EQUALS', label: 'is' },
  { value: 'NOT_EQUALS', label: 'is not' },
];
const PARTS: Option<ClauseOperator>[] = [
  { value: 'CONTAINS', label: 'contains' },
  { value: 'NOT_CONTAINS', label: 'does not contain' },
];
const ORDER: Option<ClauseOperator>[] = [
  { value: 'GREATER_THAN', label: 'is greater than' },
  { value: 'GREATER_THAN_OR_EQUALS', label: 'is at least' },
  { value: 'LESS_THAN', label: 'is less than' },
  { value: 'LESS_THAN_OR_EQUALS', label: 'is at most' },
];
const TIME: Option<ClauseOperator>[] = [
  { value: 'GREATER_THAN_OR_EQUALS', label: 'is at or after' },
  { value: 'GREATER_THAN', label: 'is after' },
  { value: 'LESS_THAN', label: 'is before' },
  { value: 'LESS_THAN_OR_EQUALS', label: 'is at or before' },
];
const ALL = [...SAME, ...PARTS, ...ORDER];

/** The operators that make sense of a property, and the one that is chosen. */
function operatorsFor({ property, operator }: ClauseValues): Option<ClauseOperator>[] {
  const usual = property === 'name' ? [...SAME, ...PARTS] : property === 'timestamp' ? TIME : ALL;
  const chosen = ALL.filter(({ value }) => value === operator);
  return usual.some(({ value }) => value === operator) ? usual : [...usual, ...chosen];
}

/** The deepest level of a filter that the API takes. */
const DEEPEST = 5;

export function FilterEditor({ suggestions }: { suggestions: Suggestions }) {
  return <Group path="filter" depth={1} suggestions={suggestions} />;
}

function Group({
  path,
  depth,
  suggestions,
  onRemove,
}: {
  path: string;
  depth: number;
  suggestions: Suggestions;
  onRemove?: () => void;
}) {
  const id = useId();
  const { fields, append, remove } = useFieldArray({ name: `${path}.clauses` });
  const { getValues, setFocus } = useFormContext();

  function add(node: ReturnType<typeof newClause>) {
    append(node, { shouldFocus: false });
  }
  function removeAt(place: number) {
    remove(place);
    // The keyboard stays in the group.
    const before = Math.max(0, place - 1);
    if (getValues(`${path}.clauses.${before}.clause`)) {
      setFocus(`${path}.clauses.${before}.clause.operator`);
    }
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a grid in all browsers
    <div
      className={styles.group}
      role="group"
      aria-labelledby={id}
      data-nested={depth > 1}
      data-field={path}
    >
      <div className={styles.groupHead}>
        <span id={id}>{fields.length === 0 ? 'Every event counts' : 'Match'}</span>
        {fields.length > 0 && (
          <>
            <ChoiceInput
              name={`${path}.conjunction`}
              label="How conditions are combined"
              hideLabel
              options={CONJUNCTIONS}
            />
            <span>of these</span>
          </>
        )}
        {onRemove && (
          <Button look="quiet" small iconOnly aria-label="Remove the group" onClick={onRemove}>
            <Icon name="close" size={14} />
          </Button>
        )}
      </div>
      {fields.map((field, place) => {
        const at = `${path}.clauses.${place}`;
        return 'filter' in field ? (
          <Group
            key={field.id}
            path={`${at}.filter`}
            depth={depth + 1}
            suggestions={suggestions}
            onRemove={() => removeAt(place)}
          />
        ) : (
          <Clause
            key={field.id}
            path={`${at}.clause`}
            place={place + 1}
            suggestions={suggestions}
            onRemove={() => removeAt(place)}
          />
        );
      })}
      <FieldMessage name={path} />
      <div className={styles.groupFoot}>
        <Button small onClick={() => add(newClause())}>
          Add condition
        </Button>
        {depth < DEEPEST && (
          <Button small look="quiet" onClick={() => add(newGroup())}>
            Add group
          </Button>
        )}
      </div>
    </div>
  );
}

function Clause({
  path,
  place,
  suggestions: { names, properties },
  onRemove,
}: {
  path: string;
  place: number;
  suggestions: Suggestions;
  onRemove(): void;
}) {
  const clause = useWatch({ name: path }) as ClauseValues;
  const isName = clause.property === 'name';
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div className={styles.clause} role="group" aria-label={`Condition ${place}`} data-field={path}>
      <SuggestedInput
        name={`${path}.property`}
        label="Property"
        hideLabel
        placeholder="Property"
        options={['name', 'timestamp', ...properties]}
      />
      <ChoiceInput
        name={`${path}.operator`}
        label="Comparison"
        hideLabel
        options={operatorsFor(clause)}
      />
      {isName ? (
        <SuggestedInput
          name={`${path}.text`}
          label="Event name"
          hideLabel
          placeholder="Event name"
          options={names}
        />
      ) : (
        <TextInput
          name={`${path}.text`}
          label="Value"
          hideLabel
          placeholder={clause.property === 'timestamp' ? '2026-11-01T00:00:00Z' : 'Value'}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      <Button
        look="quiet"
        iconOnly
        aria-label={`Remove condition ${place}`}
        title="Remove"
        onClick={onRemove}
      >
        <Icon name="close" size={14} />
      </Button>
      <FieldMessage name={path} />
    </div>
  );
}
