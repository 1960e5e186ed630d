import { readFileSync } from 'node:fs';
import { buildSchema, isAbstractType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { EMBEDDED, POSSIBLE_TYPES } from './cache';

const schema = buildSchema(
  readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'),
);
const ROOTS = ['Query', 'Mutation', 'Subscription'];

test('every type without an id is embedded, and no other', () => {
  const found = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__') && !ROOTS.includes(name))
    // Answers of mutations are read where they come, and not kept.
    .filter(
      ({ name }) => !name.endsWith('Payload') && !['UserError', 'EventReceipt'].includes(name),
    )
    .filter((type) => !('id' in type.getFields()))
    .map(({ name }) => name);
  expect(found.sort()).toEqual([...EMBEDDED]);
});

test('abstract types can be what the schema says', () => {
  const found = Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter(isAbstractType)
      .filter(({ name }) => name !== 'Node')
      .map((type) => [
        type.name,
        schema
          .getPossibleTypes(type)
          .map(({ name }) => name)
          .sort(),
      ]),
  );
  expect(found).toEqual(POSSIBLE_TYPES);
});
