/** The client of the API that a page has. */
import { Client, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core';
import { retryExchange } from '@urql/exchange-retry';
import { objectCache } from './cache';
import { reportChange } from './changes';
import { coalesced } from './coalescing';
import { nameFailedFields } from './failedFields';
import { follow, type Socket } from './following';
import { type PageName, serverUrl } from './page';
import { type ApiError, codeOf } from './problems';
import { mayRepeat } from './repeating';
import { requester } from './requests';
import { openSocket, waitOrOnline } from './socket';
import { reportState } from './status';

export interface ApiOptions {
  page: PageName;
  /** The session has ended, here or elsewhere. */
  onSignedOut(): void;
  /** The server's database was restored, so the cache is of no use. Called once. */
  onRestored(): void;
}

export function createApi({ page, onSignedOut, onRestored }: ApiOptions): Client {
  const socket = openSocket(page);
  let isRestored = false;
  function restored() {
    if (!isRestored) {
      isRestored = true;
      onRestored();
    }
  }
  return new Client({
    url: serverUrl('graphql').href,
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: requester(page),
    fetchOptions: { headers: { Accept: 'application/graphql-response+json' } },
    exchanges: [
      mapExchange({
        onError(error) {
          if (
            (error.graphQLErrors as ApiError[]).some((each) => codeOf(each) === 'UNAUTHENTICATED')
          ) {
            onSignedOut();
          }
        },
        onResult({ operation }) {
          if (operation.kind === 'mutation') {
            reportChange();
          }
        },
      }),
      objectCache(),
      mapExchange({ onResult: nameFailedFields }),
      retryExchange({
        initialDelayMs: 500,
        maxDelayMs: 8000,
        maxNumberAttempts: 4,
        randomDelay: true,
        retryIf: (error, operation) => mayRepeat(error, operation),
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: watch(socket, request, sink, { onSignedOut, onRestored: restored }),
          }),
        }),
      }),
    ],
  });
}

interface Request {
  query?: string | undefined;
  variables?: Record<string, unknown> | undefined;
}

interface Receiver {
  next(result: { data: Record<string, unknown> }): void;
  error(problem: unknown): void;
}

function watch(
  socket: Socket,
  { query = '', variables = {} }: Request,
  sink: Receiver,
  { onSignedOut, onRestored }: Pick<ApiOptions, 'onSignedOut' | 'onRestored'>,
): () => void {
  const who = Symbol();
  const updates = coalesced<Record<string, unknown>>(subjectOf, (batch) => {
    for (const data of batch) {
      sink.next({ data });
    }
  });
  const stop = follow<Record<string, unknown>>({
    socket,
    query,
    variables,
    wait: waitOrOnline,
    onData: updates.add,
    onState: (state) => reportState(who, state),
    onRestored,
    onEnd: (problem) => {
      reportState(who, null);
      if (problem.kind === 'signed-out') {
        onSignedOut();
      } else {
        sink.error(new Error(`${problem.title}. ${problem.advice}`));
      }
    },
  });
  return () => {
    stop();
    updates.stop();
    reportState(who, null);
  };
}

/** What an update is about, where only its latest state matters. */
function subjectOf(data: unknown): string | null {
  const id = (data as { usageUpdated?: { customerMeter?: { id?: unknown } } }).usageUpdated
    ?.customerMeter?.id;
  return typeof id === 'string' ? id : null;
}
