/** A meter's definition as its form has it, and as the API takes it. */
import type {
  AggregationFunction,
  ClauseOperator,
  Conjunction,
  MeterAggregationInput,
  MeterFilterInput,
  MeterFilterNodeInput,
} from '../../api/generated/graphql';

type ClauseValue = string | number | boolean;

export interface ClauseValues {
  property: string;
  operator: ClauseOperator;
  text: string;
  /** What the API answered; it goes back as it was while its text stays. */
  stored?: ClauseValue;
}

export type NodeValues = { clause: ClauseValues } | { filter: FilterValues };

export interface FilterValues {
  conjunction: Conjunction;
  clauses: NodeValues[];
}

export interface DefinitionValues {
  filter: FilterValues;
  aggregation: { function: AggregationFunction; property: string; carriesOver: boolean };
}

export interface MeterValues extends DefinitionValues {
  name: string;
  unit: string;
  dimensions: { property: string }[];
}

export const newClause = (property = ''): NodeValues => ({
  clause: { property, operator: 'EQUALS', text: '' },
});

export const newGroup = (): NodeValues => ({
  filter: { conjunction: 'OR', clauses: [newClause()] },
});

export const newMeter = (): MeterValues => ({
  name: '',
  unit: '',
  filter: { conjunction: 'AND', clauses: [newClause('name')] },
  aggregation: { function: 'COUNT', property: '', carriesOver: false },
  dimensions: [],
});

/** A filter as the API answers it. */
export interface StoredFilter {
  conjunction: Conjunction;
  clauses: readonly (
    | { property: string; operator: ClauseOperator; value: ClauseValue }
    | StoredFilter
    | Record<string, never>
  )[];
}

export function filterValues({ conjunction, clauses }: StoredFilter): FilterValues {
  return {
    conjunction,
    clauses: clauses.flatMap((node): NodeValues[] => {
      if ('clauses' in node) {
        return [{ filter: filterValues(node as StoredFilter) }];
      }
      if (!('property' in node)) {
        return [];
      }
      const { property, operator, value } = node;
      return [{ clause: { property, operator, text: String(value), stored: value } }];
    }),
  };
}

export function filterInput({ conjunction, clauses }: FilterValues): MeterFilterInput {
  return { conjunction, clauses: clauses.map(nodeInput) };
}

function nodeInput(node: NodeValues): MeterFilterNodeInput {
  if ('filter' in node) {
    return { filter: filterInput(node.filter) };
  }
  const { property, operator, text, stored } = node.clause;
  const value = stored !== undefined && String(stored) === text ? { value: stored } : { text };
  return { clause: { property: property.trim(), operator, ...value } };
}

/** Whether a value may last until the next event. */
export const canCarryOver = (of: AggregationFunction): boolean =>
  of === 'MAXIMUM' || of === 'LATEST';

export function aggregationInput({
  function: name,
  property,
  carriesOver,
}: DefinitionValues['aggregation']): MeterAggregationInput {
  return {
    function: name,
    ...(name !== 'COUNT' && { property: property.trim() }),
    ...(carriesOver && canCarryOver(name) && { carriesOver }),
  };
}

export function dimensionsInput(dimensions: MeterValues['dimensions']): string[] {
  return dimensions.map(({ property }) => property.trim());
}

/** The form has a value's text where the API may name its value, and inputs of dimensions. */
export function formPath(path: readonly string[]): readonly string[] {
  if (path[0] === 'dimensions' && path.length === 2) {
    return [...path, 'property'];
  }
  return path.at(-1) === 'value' && path.at(-2) === 'clause'
    ? [...path.slice(0, -1), 'text']
    : path;
}

/** Whether there is enough to count by: nothing that must be chosen is empty. */
export function isComplete({ filter, aggregation }: DefinitionValues): boolean {
  return (
    everyClause(filter, ({ property, text }) =>
      property === 'name' ? text !== '' : property.trim() !== '',
    ) &&
    (aggregation.function === 'COUNT' || aggregation.property.trim() !== '')
  );
}

function everyClause(filter: FilterValues, holds: (clause: ClauseValues) => boolean): boolean {
  return filter.clauses.every((node) =>
    'filter' in node ? everyClause(node.filter, holds) : holds(node.clause),
  );
}

/** The event names that the filter asks for, to suggest their properties. */
export function namesIn({ clauses }: FilterValues): string[] {
  return clauses.flatMap((node) => {
    if ('filter' in node) {
      return namesIn(node.filter);
    }
    const { property, operator, text } = node.clause;
    return property === 'name' && operator === 'EQUALS' && text !== '' ? [text] : [];
  });
}

/** Properties to suggest: of the named events, or of all where none of them is known. */
export function propertiesOf(
  events: readonly { name: string; metadataKeys: readonly string[] }[],
  names: readonly string[],
): string[] {
  const named = events.filter(({ name }) => names.includes(name));
  const keys = (named.length > 0 ? named : events).flatMap(({ metadataKeys }) => metadataKeys);
  return [...new Set(keys)].map((key) => (RESERVED.includes(key) ? `metadata.${key}` : key));
}

const RESERVED = ['name', 'timestamp'];

/** What an event has at a property. */
export function valueAt(
  event: { name: string; timestamp: string; metadata: Record<string, unknown> },
  property: string,
): unknown {
  if (property === 'name' || property === 'timestamp') {
    return event[property];
  }
  const path = property.startsWith('metadata.') ? property.slice('metadata.'.length) : property;
  let value: unknown = event.metadata;
  for (const key of path.split('.')) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<string, unknown>)[key]
        : undefined;
  }
  return value;
}
