/** What went wrong, in words: what it is, and what to do about it. */
import type { CombinedError } from '@urql/core';

export type ProblemKind = 'signed-out' | 'forbidden' | 'offline' | 'busy' | 'refused' | 'internal';

export interface Problem {
  kind: ProblemKind;
  title: string;
  advice: string;
  /** The API's code, for whoever looks it up. */
  code?: string;
  /** Where the server hides the reason, the id that its log has beside it. */
  id?: string;
}

interface Extensions {
  code?: unknown;
  id?: unknown;
  retryable?: unknown;
  retryAfterSeconds?: unknown;
}

/** An error as the API sends it. */
export interface ApiError {
  message: string;
  extensions?: Extensions;
}

export function codeOf(error: ApiError): string {
  const code = error.extensions?.code;
  return typeof code === 'string' ? code : 'INTERNAL';
}

/** What to tell about an answer that failed. */
export function problemOf(error: CombinedError): Problem {
  if (error.networkError !== undefined) {
    return OFFLINE;
  }
  const [first] = error.graphQLErrors as ApiError[];
  return first === undefined ? OFFLINE : problemOfError(first);
}

const OFFLINE: Problem = {
  kind: 'offline',
  title: 'Can’t reach Metergraph',
  advice: 'Check your connection, then try again.',
};

export function problemOfError(error: ApiError): Problem {
  const code = codeOf(error);
  switch (code) {
    case 'UNAUTHENTICATED':
      return {
        kind: 'signed-out',
        title: 'Your session has ended',
        advice: 'Sign in again to go on.',
        code,
      };
    case 'FORBIDDEN':
      return {
        kind: 'forbidden',
        title: 'You don’t have access to this',
        advice: error.message,
        code,
      };
    case 'RATE_LIMITED':
      return { kind: 'busy', title: 'Too many requests', advice: waitAdvice(error), code };
    case 'TOO_COMPLEX':
      return {
        kind: 'refused',
        title: 'That is too much at once',
        advice: `Choose a shorter range or longer intervals. ${error.message}`,
        code,
      };
    case 'INTERNAL':
      return internal(error, code);
    default:
      return { kind: 'refused', title: 'That didn’t work', advice: error.message, code };
  }
}

function internal(error: ApiError, code: string): Problem {
  const id = error.extensions?.id;
  if (typeof id === 'string') {
    return {
      kind: 'internal',
      title: 'Something went wrong on the server',
      advice: 'The server’s log has the reason under this ID.',
      code,
      id,
    };
  }
  return {
    kind: 'internal',
    title: 'The server can’t answer right now',
    advice: 'Wait a moment, then try again.',
    code,
  };
}

function waitAdvice(error: ApiError): string {
  const seconds = retryAfter(error);
  return seconds === null ? error.message : `Try again in ${Math.ceil(seconds)} s.`;
}

/** For how many seconds the server asks us to wait, if it says. */
export function retryAfter(error: ApiError): number | null {
  const seconds = error.extensions?.retryAfterSeconds;
  return typeof seconds === 'number' && seconds >= 0 ? seconds : null;
}

/** What the API says is wrong with an argument, where the page itself shows which. */
export function withoutPlace(message: string): string {
  return message.replace(/ \(at `[^`]*`\)$/, '.');
}
