/** What may be sent again after no answer, or a bad one, came. */
import type { CombinedError } from '@urql/core';
import { type ApiError, codeOf } from './problems';

export interface Sent {
  kind: 'query' | 'mutation' | 'subscription' | 'teardown';
  variables?: unknown;
}

/** Whether sending it again can do nothing twice, and may help. */
export function mayRepeat(error: CombinedError, sent: Sent): boolean {
  if (sent.kind !== 'query' && sent.kind !== 'mutation') {
    return false;
  }
  if (error.networkError !== undefined) {
    // No answer: a mutation may have been carried out.
    return sent.kind === 'query' || hasKey(sent.variables);
  }
  const errors = error.graphQLErrors as ApiError[];
  return errors.length > 0 && errors.every((each) => isPassing(each, sent));
}

function isPassing(error: ApiError, sent: Sent): boolean {
  const code = codeOf(error);
  if (code === 'RATE_LIMITED') {
    return sent.kind === 'query'; // a person who clicked sees it, and decides
  }
  return code === 'INTERNAL' && error.extensions?.retryable === true;
}

/** Whether the server does a mutation with these variables once, however often it is sent. */
function hasKey(variables: unknown): boolean {
  const input = property(variables, 'input');
  if (typeof property(input, 'idempotencyKey') === 'string') {
    return true;
  }
  const events = property(input, 'events');
  return (
    Array.isArray(events) &&
    events.length > 0 &&
    events.every((event) => typeof property(event, 'externalId') === 'string')
  );
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
