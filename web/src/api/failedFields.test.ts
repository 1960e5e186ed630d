import { CombinedError, type OperationResult } from '@urql/core';
import { expect, test } from 'vitest';
import { nameFailedFields } from './failedFields';

function pathsOf(data: unknown, ...paths: (string | number)[][]): unknown {
  const error = new CombinedError({
    graphQLErrors: paths.map((path) => ({ message: 'Archived', path })),
  });
  nameFailedFields({ data, error } as unknown as OperationResult);
  return error.graphQLErrors.map(({ path }) => path);
}

test('an error names the field that is null because of it', () => {
  const path = ['invoice', 'lines', 1, 'events', 'nodes'];
  expect(pathsOf({ invoice: { lines: [{}, { events: null }] } }, path)).toEqual([
    ['invoice', 'lines', 1, 'events'],
  ]);
  expect(
    pathsOf({ invoice: null, meter: { id: 'm', total: null } }, path, ['meter', 'total']),
  ).toEqual([['invoice'], ['meter', 'total']]);
});

test('other errors stay as they are', () => {
  expect(pathsOf(null, ['invoice'])).toEqual([['invoice']]);
  expect(pathsOf({ me: { id: 'me' } }, ['me'], ['me', 'id'])).toEqual([['me'], ['me', 'id']]);
  const result = { data: { me: null } } as unknown as OperationResult;
  nameFailedFields(result);
  expect(result.error).toBeUndefined();
});
