/** Decides what follows from the answer to a batch of events. Does no I/O. */
import type { UnreachableError, UserError } from './errors.js';
import type { Event } from './events.js';
import type { Answer } from './graphql.js';

/** An event that Metergraph refused. Sending it again would not change that. */
export interface Rejection {
  /** The event, as it was sent. */
  event: Event;
  /** Such as INVALID, or CONFLICT if another event has its external id. */
  code: string;
  /** A sentence for people. */
  message: string;
  /** Which part of the event is at fault, such as ['metadata']. */
  path: readonly string[];
}

export type Outcome =
  /** Every event of the batch is stored, now or before, or rejected. */
  | { kind: 'settled'; inserted: number; duplicates: number; rejections: Rejection[] }
  /** Try again after a while; `splits` with fewer events, because one may be the reason. */
  | { kind: 'later'; reason: string; retryAfterSeconds: number | undefined; splits: boolean }
  /** Send fewer events at a time: the batch is too large, or one event spoils it. */
  | { kind: 'halve' };

export const INGEST = `mutation Ingest($input: EventsIngestInput!) {
  eventsIngest(input: $input) {
    receipts { status error { code message path } }
    userErrors { code message path }
  }
}`;

interface Payload {
  receipts: { status: string; error: UserError | null }[];
  userErrors: UserError[];
}

/** What follows from an answer of Metergraph. */
export function outcomeOf(batch: readonly Event[], answer: Answer): Outcome {
  const { error } = answer;
  if (error === undefined) {
    return ofReceipts(batch, answer.data?.eventsIngest as Payload | undefined);
  }
  if (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN') {
    return rejected(batch, error.code, error.message);
  }
  if (error.code === 'INTERNAL' || error.code === 'RATE_LIMITED' || answer.status >= 503) {
    // An internal error that is no outage may be the fault of one event.
    const splits = error.code !== 'RATE_LIMITED' && error.extensions.retryable === undefined;
    const { message: reason, retryAfterSeconds } = error;
    return { kind: 'later', reason, retryAfterSeconds, splits };
  }
  return refused(batch, error.code, error.message);
}

/** What follows if there was no answer of Metergraph. */
export function outcomeOfFailure(batch: readonly Event[], error: UnreachableError): Outcome {
  const { message, retryAfterSeconds } = error;
  return error.status === 413
    ? refused(batch, 'TOO_COMPLEX', message)
    : { kind: 'later', reason: message, retryAfterSeconds, splits: false };
}

function ofReceipts(batch: readonly Event[], payload: Payload | undefined): Outcome {
  const [problem] = payload?.userErrors ?? [];
  if (problem !== undefined) {
    return refused(batch, problem.code, problem.message);
  }
  const receipts = payload?.receipts ?? [];
  const count = (status: string) => receipts.filter((receipt) => receipt.status === status).length;
  if (receipts.length !== batch.length || count('SKIPPED') > 0) {
    const reason = `${batch.length} events got ${receipts.length} receipts.`;
    return { kind: 'later', reason, retryAfterSeconds: undefined, splits: true };
  }
  const rejections = batch.flatMap((event, index) => {
    const error = receipts[index]?.error;
    if (!error) {
      return [];
    }
    const { code, message, path } = error;
    return [{ event, code, message, path: path.slice(2) }]; // after "events" and the index
  });
  const [inserted, duplicates] = [count('INSERTED'), count('DUPLICATE')];
  return { kind: 'settled', inserted, duplicates, rejections };
}

function refused(batch: readonly Event[], code: string, message: string): Outcome {
  return batch.length > 1 ? { kind: 'halve' } : rejected(batch, code, message);
}

function rejected(batch: readonly Event[], code: string, message: string): Outcome {
  const rejections = batch.map((event) => ({ event, code, message, path: [] }));
  return { kind: 'settled', inserted: 0, duplicates: 0, rejections };
}
