import { expect, test } from 'vitest';
import {
  aggregationInput,
  dimensionsInput,
  type FilterValues,
  filterInput,
  filterValues,
  formPath,
  isComplete,
  namesIn,
  propertiesOf,
  valueAt,
} from './meterValues';

const STORED = {
  conjunction: 'AND' as const,
  clauses: [
    { property: 'name', operator: 'EQUALS' as const, value: 'ai_usage' },
    {
      conjunction: 'OR' as const,
      clauses: [
        { property: 'code', operator: 'EQUALS' as const, value: '007' },
        { property: 'code', operator: 'GREATER_THAN' as const, value: 8 },
      ],
    },
  ],
};

test('a filter that is not touched goes back with the types that it had', () => {
  expect(filterInput(filterValues(STORED))).toEqual({
    conjunction: 'AND',
    clauses: [
      { clause: { property: 'name', operator: 'EQUALS', value: 'ai_usage' } },
      {
        filter: {
          conjunction: 'OR',
          clauses: [
            { clause: { property: 'code', operator: 'EQUALS', value: '007' } },
            { clause: { property: 'code', operator: 'GREATER_THAN', value: 8 } },
          ],
        },
      },
    ],
  });
});

test('a value that is typed goes as text, for the API to read', () => {
  const typed: FilterValues = {
    conjunction: 'AND',
    clauses: [{ clause: { property: ' size ', operator: 'EQUALS', text: '12', stored: '11' } }],
  };
  expect(filterInput(typed).clauses).toEqual([
    { clause: { property: 'size', operator: 'EQUALS', text: '12' } },
  ]);
});

test('a count takes no property', () => {
  expect(aggregationInput({ function: 'COUNT', property: 'left over', carriesOver: true })).toEqual(
    {
      function: 'COUNT',
    },
  );
  expect(aggregationInput({ function: 'SUM', property: 'tokens', carriesOver: true })).toEqual({
    function: 'SUM',
    property: 'tokens',
  });
});

test('only a maximum and a latest value carry over', () => {
  const aggregation = { property: 'seats', carriesOver: true };
  expect(aggregationInput({ ...aggregation, function: 'LATEST' })).toEqual({
    function: 'LATEST',
    property: 'seats',
    carriesOver: true,
  });
  expect(aggregationInput({ ...aggregation, function: 'MAXIMUM', carriesOver: false })).toEqual({
    function: 'MAXIMUM',
    property: 'seats',
  });
});

test('an error at a value is shown at its text', () => {
  expect(formPath(['filter', 'clauses', '0', 'clause', 'value'])).toEqual([
    'filter',
    'clauses',
    '0',
    'clause',
    'text',
  ]);
  expect(formPath(['name'])).toEqual(['name']);
});

test('a definition is complete when every property is chosen, however deep', () => {
  const filter = filterValues(STORED);
  expect(
    isComplete({ filter, aggregation: { function: 'COUNT', property: '', carriesOver: false } }),
  ).toBe(true);
  expect(
    isComplete({ filter, aggregation: { function: 'SUM', property: ' ', carriesOver: false } }),
  ).toBe(false);
  const open: FilterValues = {
    conjunction: 'OR',
    clauses: [
      {
        filter: {
          conjunction: 'OR',
          clauses: [{ clause: { property: '', operator: 'EQUALS', text: 'a' } }],
        },
      },
    ],
  };
  expect(
    isComplete({
      filter: open,
      aggregation: { function: 'COUNT', property: '', carriesOver: false },
    }),
  ).toBe(false);
});

test('properties are suggested of the named events, else of all', () => {
  const events = [
    { name: 'ai_usage', metadataKeys: ['model', 'name'] },
    { name: 'upload', metadataKeys: ['bytes', 'model'] },
  ];
  expect(propertiesOf(events, namesIn(filterValues(STORED)))).toEqual(['model', 'metadata.name']);
  expect(propertiesOf(events, ['unknown'])).toEqual(['model', 'metadata.name', 'bytes']);
});

test('a property is a path into the metadata, or a part of the event', () => {
  const event = {
    name: 'ai_usage',
    timestamp: '2026-11-01T00:00:00Z',
    metadata: { usage: { tokens: '12' }, name: 'inner' },
  };
  expect(valueAt(event, 'usage.tokens')).toBe('12');
  expect(valueAt(event, 'name')).toBe('ai_usage');
  expect(valueAt(event, 'metadata.name')).toBe('inner');
  expect(valueAt(event, 'usage.tokens.deeper')).toBeUndefined();
});

test('what is wrong with a dimension stands at its input', () => {
  expect(dimensionsInput([{ property: ' model ' }, { property: '' }])).toEqual(['model', '']);
  expect(formPath(['dimensions', '1'])).toEqual(['dimensions', '1', 'property']);
  expect(formPath(['dimensions'])).toEqual(['dimensions']);
});
