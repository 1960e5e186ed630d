/**
 * Follows a subscription for as long as somebody watches, over as many connections as it takes.
 *
 * Each update that has a `cursor` is where the next connection goes on, so nothing is missed and
 * nothing comes twice. graphql-ws would send the first variables again.
 */
import { type ApiError, codeOf, type Problem, problemOfError, retryAfter } from './problems';

export interface Payload {
  query: string;
  variables?: Record<string, unknown>;
}

export interface Result<T> {
  data?: T | null;
  errors?: readonly ApiError[];
}

export interface Sink<T> {
  next(result: Result<T>): void;
  /** A closed connection (with a `code`), the API's errors, or a bug. */
  error(reason: unknown): void;
  complete(): void;
}

/** One connection, shared by all that is followed. */
export interface Socket {
  subscribe<T>(payload: Payload, sink: Sink<T>): () => void;
}

export type FollowState = 'connecting' | 'live' | 'waiting';

export interface Following<T> {
  socket: Socket;
  query: string;
  variables: Record<string, unknown>;
  onData(data: T): void;
  onState(state: FollowState): void;
  /** The database was restored: what was shown may be undone, and this begins again. */
  onRestored(): void;
  /** It has ended for good, and why. */
  onEnd(problem: Problem): void;
  /** Calls back after some seconds, or earlier if that may help; returns what cancels it. */
  wait(seconds: number, then: () => void): () => void;
  /** Between 0 and 1. */
  random?: () => number;
}

const LONGEST_WAIT = 30;
const FORBIDDEN = 4403;
const BAD_REQUEST = 4400;

/** Returns what ends it. */
export function follow<T>(following: Following<T>): () => void {
  const { socket, query, onData, onState, onRestored, onEnd, wait } = following;
  const { random = Math.random } = following;
  let variables = following.variables;
  let failures = 0;
  let ended = false;
  let cancel = () => {};

  function connect() {
    onState('connecting');
    // An old connection's late words must not be taken for the new one's.
    let current = true;
    const unsubscribe = socket.subscribe<T>(
      { query, variables },
      {
        next: (result) => {
          if (!current || ended) {
            return;
          }
          if (result.data === undefined || result.data === null) {
            current = false;
            refused(result.errors ?? []);
            return;
          }
          failures = 0;
          onState('live');
          take(result.data);
        },
        error: (reason) => {
          if (current && !ended) {
            current = false;
            lost(reason);
          }
        },
        complete: () => {
          // What is followed has no end of its own: the server stops.
          if (current && !ended) {
            current = false;
            again(null);
          }
        },
      },
    );
    cancel = () => {
      current = false;
      unsubscribe();
    };
  }

  function take(data: T) {
    const cursor = cursorOf(data);
    if (cursor !== null) {
      if (cursor === variables.after) {
        return; // seen before
      }
      variables = { ...variables, after: cursor };
    }
    onData(data);
  }

  function lost(reason: unknown) {
    if (Array.isArray(reason)) {
      refused(reason as ApiError[]);
      return;
    }
    const code = (reason as { code?: unknown } | null)?.code;
    if (code === FORBIDDEN) {
      end(problemOfError({ message: '', extensions: { code: 'UNAUTHENTICATED' } }));
    } else if (code === BAD_REQUEST) {
      end(
        problemOfError({
          message: 'The server could not read the request.',
          extensions: { code: 'BAD_USER_INPUT' },
        }),
      );
    } else {
      again(null);
    }
  }

  function refused(errors: readonly ApiError[]) {
    const error = errors[0] ?? { message: '' };
    const code = codeOf(error);
    if (code === 'RATE_LIMITED' || code === 'INTERNAL') {
      again(retryAfter(error));
    } else if (code === 'CURSOR_EXPIRED') {
      beginAgain();
      onRestored();
    } else if (code === 'BAD_USER_INPUT' && typeof variables.after === 'string') {
      // The cursor is of another database.
      beginAgain();
    } else {
      end(problemOfError(error));
    }
  }

  /** Without the cursor: with the current state, or from now on. */
  function beginAgain() {
    const { after: _lost, ...rest } = variables;
    variables = rest;
    again(null);
  }

  function again(seconds: number | null) {
    cancel();
    onState('waiting');
    const patience = Math.min(LONGEST_WAIT, 0.5 * 2 ** failures);
    failures += 1;
    // Whoever was cut off together does not come back together.
    cancel = wait(Math.max(seconds ?? 0, patience * (0.5 + random() / 2)), connect);
  }

  function end(problem: Problem) {
    ended = true;
    cancel();
    onEnd(problem);
  }

  connect();
  return () => {
    ended = true;
    cancel();
  };
}

/** The cursor that an update has beside its change. */
function cursorOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  for (const update of Object.values(data)) {
    const cursor = (update as { cursor?: unknown } | null)?.cursor;
    if (typeof cursor === 'string') {
      return cursor;
    }
  }
  return null;
}
