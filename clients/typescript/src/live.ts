/**
 * Live usage that resumes: over as many connections as it takes, each from the last cursor, so that
 * nothing is missed and nothing comes twice.
 */
import { createParser } from 'eventsource-parser';
import { ApiError, type GraphQLError, UnreachableError } from './errors.js';
import { type Endpoint, readAnswer, send, unreachable } from './graphql.js';
import { pauseMs } from './pausing.js';

/** The server sends a comment every five seconds, so a connection without any is dead. */
const SILENCE_MS = 20_000;

/** The current usage of one customer on one meter. Decimals are strings, which are exact. */
export interface UsageUpdate {
  customerMeter: {
    id: string;
    meter: { id: string; name: string; unit: string | null };
    customer: { id: string; externalId: string | null };
    periodStart: string | null;
    periodEnd: string | null;
    consumedUnits: string;
    creditedUnits: string;
    balance: string;
    updatedAt: string;
  };
  /** Where to go on, as `after`, in another process or later. */
  cursor: string;
}

export interface UsageOptions {
  externalCustomerId?: string;
  customerId?: string;
  meterId?: string;
  /** The cursor of the last update that you have. By default, the current state comes first. */
  after?: string;
  /** How long a connection may be silent: 20,000 ms. The server sends something every 5,000 ms. */
  silenceMs?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
  /**
   * The database was restored from a backup, and what came before is undone: forget it. The current
   * state follows.
   */
  onRestart?: () => void;
  /** A connection was lost, or refused for now; another one follows after a pause. */
  onInterrupted?: (reason: Error) => void;
}

const USAGE_UPDATED = `subscription UsageUpdated(
  $customerId: ID, $externalCustomerId: String, $meterId: ID, $after: String
) {
  usageUpdated(
    customerId: $customerId, externalCustomerId: $externalCustomerId, meterId: $meterId, after: $after
  ) {
    customerMeter {
      id meter { id name unit } customer { id externalId }
      periodStart periodEnd consumedUnits creditedUnits balance updatedAt
    }
    cursor
  }
}`;

/** Usage as it changes, until the consumer stops, the signal aborts, or the server refuses it. */
export async function* usageUpdated(
  endpoint: Endpoint,
  options: UsageOptions,
): AsyncGenerator<UsageUpdate, void, void> {
  const { signal, silenceMs = SILENCE_MS, onRestart, onInterrupted, after, ...which } = options;
  let cursor = after;
  let failures = 0;
  while (signal?.aborted !== true) {
    const variables = { ...which, after: cursor };
    try {
      for await (const update of connection(endpoint, variables, silenceMs, signal)) {
        failures = 0;
        if (update.cursor !== cursor) {
          cursor = update.cursor;
          yield update;
        }
      }
      throw new UnreachableError('The server ended the stream.');
    } catch (error) {
      if (signal?.aborted) {
        return;
      }
      if (error instanceof ApiError && error.code === 'CURSOR_EXPIRED' && cursor !== undefined) {
        cursor = undefined;
        onRestart?.();
        continue;
      }
      if (!isPassing(error)) {
        throw error;
      }
      failures += 1;
      onInterrupted?.(error);
      await pause(pauseMs(failures, error.retryAfterSeconds), signal);
    }
  }
}

/** Whether it is worth connecting again. */
function isPassing(error: unknown): error is ApiError | UnreachableError {
  return (
    error instanceof UnreachableError ||
    (error instanceof ApiError && (error.code === 'RATE_LIMITED' || error.code === 'INTERNAL'))
  );
}

/** The updates of one connection. */
async function* connection(
  endpoint: Endpoint,
  variables: object,
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<UsageUpdate> {
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const listen = (milliseconds: number) => {
    clearTimeout(silence);
    const reason = new UnreachableError(`Nothing was heard for ${milliseconds} ms.`);
    silence = setTimeout(() => controller.abort(reason), milliseconds);
  };
  try {
    listen(endpoint.timeoutMs);
    const body = JSON.stringify({ query: USAGE_UPDATED, variables });
    const accept = 'text/event-stream';
    const response = await send(endpoint, body, { accept, signal: controller.signal });
    if (response.body === null || !response.headers.get('content-type')?.startsWith(accept)) {
      const { error, status } = await readAnswer(response);
      throw error ?? new UnreachableError('The answer is no stream.', { status });
    }
    const texts: string[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === 'next') {
          texts.push(data);
        }
      },
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      listen(silenceMs);
      const { done, value } = await reader.read().catch((cause) => {
        throw unreachable(cause);
      });
      clearTimeout(silence); // a consumer may take its time
      if (done) {
        return;
      }
      parser.feed(decoder.decode(value, { stream: true }));
      for (const text of texts.splice(0)) {
        yield updateOf(text, response.status);
      }
    }
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', stop);
    controller.abort();
  }
}

function updateOf(text: string, status: number): UsageUpdate {
  const { data, errors } = JSON.parse(text) as {
    data?: { usageUpdated: UsageUpdate } | null;
    errors?: GraphQLError[];
  };
  const [error] = errors ?? [];
  if (error !== undefined) {
    const seconds = error.extensions?.retryAfterSeconds;
    throw new ApiError(error, status, typeof seconds === 'number' ? seconds : undefined);
  }
  if (!data) {
    throw new UnreachableError('An update has no data.');
  }
  return data.usageUpdated;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
