import { CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { type Problem, problemOf } from './problems';

const failed = (message: string, extensions: object) =>
  new CombinedError({ graphQLErrors: [{ message, extensions: { ...extensions } }] });

test.each<[string, CombinedError, Partial<Problem>]>([
  ['no answer', new CombinedError({ networkError: new Error('x') }), { kind: 'offline' }],
  ['no session', failed('No token', { code: 'UNAUTHENTICATED' }), { kind: 'signed-out' }],
  [
    'a missing scope',
    failed('This needs the scope BILLING_READ', { code: 'FORBIDDEN' }),
    { kind: 'forbidden', advice: 'This needs the scope BILLING_READ' },
  ],
  [
    'a masked fault',
    failed('Internal error', { code: 'INTERNAL', id: '3f9a' }),
    { kind: 'internal', id: '3f9a' },
  ],
  ['an outage', failed('Try later', { code: 'INTERNAL', retryable: true }), { kind: 'internal' }],
  [
    'too many requests',
    failed('Too often', { code: 'RATE_LIMITED', retryAfterSeconds: 1.2 }),
    { kind: 'busy', advice: 'Try again in 2 s.' },
  ],
  ['an error without a code', failed('?', {}), { kind: 'internal', code: 'INTERNAL' }],
])('%s', (_name, error, problem) => {
  expect(problemOf(error)).toMatchObject(problem);
});
