import { CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { mayRepeat, type Sent } from './repeating';

const LOST = new CombinedError({ networkError: new TypeError('Failed to fetch') });
const failed = (code: string, more = {}) =>
  new CombinedError({ graphQLErrors: [{ message: '', extensions: { code, ...more } }] });

const QUERY: Sent = { kind: 'query' };
const mutation = (input: object): Sent => ({ kind: 'mutation', variables: { input } });

test.each<[string, CombinedError, Sent, boolean]>([
  ['a query without an answer', LOST, QUERY, true],
  ['a mutation that may have been done', LOST, mutation({ name: 'x' }), false],
  ['a mutation with a key', LOST, mutation({ idempotencyKey: 'k' }), true],
  ['events with their ids', LOST, mutation({ events: [{ externalId: 'a' }] }), true],
  ['events of which one has none', LOST, mutation({ events: [{ externalId: 'a' }, {}] }), false],
  ['an outage that says so', failed('INTERNAL', { retryable: true }), mutation({}), true],
  ['an outage in the middle', failed('INTERNAL', { retryable: false }), QUERY, false],
  ['a fault', failed('INTERNAL', { id: 'f' }), QUERY, false],
  ['too many queries', failed('RATE_LIMITED'), QUERY, true],
  ['too many clicks', failed('RATE_LIMITED'), mutation({ idempotencyKey: 'k' }), false],
  ['a missing scope', failed('FORBIDDEN'), QUERY, false],
  ['a session that has ended', failed('UNAUTHENTICATED'), QUERY, false],
  ['a subscription, which is followed', LOST, { kind: 'subscription' }, false],
])('%s', (_name, error, sent, repeated) => {
  expect(mayRepeat(error, sent)).toBe(repeated);
});
