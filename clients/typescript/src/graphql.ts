/** GraphQL over HTTP: sends a request, and reads what the answer says. */
import {
  ApiError,
  type GraphQLError,
  InvalidInputError,
  UnreachableError,
  type UserError,
} from './errors.js';

/** A server that asks for more is asked again after this long. */
const LONGEST_RETRY_AFTER_SECONDS = 300;

/** Where requests go, with which token, and how long they may wait. */
export interface Endpoint {
  url: string;
  token: string;
  timeoutMs: number;
  fetch: typeof fetch;
}

/** What Metergraph answered, with data or errors. */
export interface Answer {
  status: number;
  data: Record<string, unknown> | undefined;
  /** The first error. */
  error: ApiError | undefined;
}

export function endpointUrl(url: string): string {
  if (!/^https?:\/\//.test(url)) {
    throw new TypeError('`url` is the address of Metergraph, such as https://usage.example.');
  }
  return `${url.replace(/\/+$/, '').replace(/\/graphql$/, '')}/graphql`;
}

/** Sends a request. Throws an UnreachableError if there is no answer. */
export async function send(
  endpoint: Endpoint,
  body: string,
  { accept, signal }: { accept?: string; signal: AbortSignal },
): Promise<Response> {
  try {
    return await endpoint.fetch(endpoint.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${endpoint.token}`,
        'content-type': 'application/json',
        // Then the status says whether to try again, which proxies and logs see, too.
        accept: accept ?? 'application/graphql-response+json, application/json',
      },
      body,
      signal,
    });
  } catch (cause) {
    throw unreachable(cause);
  }
}

/** Sends a request and reads its answer, both within the time that is given. */
export async function ask(
  endpoint: Endpoint,
  body: string,
  options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Answer> {
  const controller = new AbortController();
  const milliseconds = options.timeoutMs ?? endpoint.timeoutMs;
  const late = () => controller.abort(new UnreachableError(`No answer in ${milliseconds} ms.`));
  const timer = setTimeout(late, milliseconds);
  const cancel = () => controller.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', cancel);
  try {
    options.signal?.throwIfAborted();
    return await readAnswer(await send(endpoint, body, { signal: controller.signal }));
  } catch (error) {
    options.signal?.throwIfAborted(); // for the caller's own reason
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', cancel);
  }
}

/** Reads a response. Throws an UnreachableError if a proxy or another server has sent it. */
export async function readAnswer(response: Response): Promise<Answer> {
  let text: string;
  try {
    text = await response.text();
  } catch (cause) {
    throw unreachable(cause);
  }
  const { status } = response;
  let retryAfterSeconds = secondsUntilRetry(response.headers.get('retry-after'));
  const found = parsed(text);
  const [error] = Array.isArray(found?.errors) ? (found.errors as GraphQLError[]) : [];
  const data = found?.data as Answer['data'] | null;
  if (error === undefined && (typeof data !== 'object' || data === null)) {
    const message = `${response.url} answered with status ${status}, and not as Metergraph.`;
    throw new UnreachableError(message, { status, retryAfterSeconds });
  }
  retryAfterSeconds ??= secondsUntilRetry(error?.extensions?.retryAfterSeconds);
  return {
    status,
    data: data ?? undefined,
    error: error && new ApiError(error, status, retryAfterSeconds),
  };
}

/** The data of an answer. Throws its error, or an InvalidInputError for userErrors. */
export function dataOf(answer: Answer): Record<string, unknown> {
  if (answer.error !== undefined) {
    throw answer.error;
  }
  const data = answer.data ?? {};
  const problems = Object.values(data).flatMap(
    (field) => (field as { userErrors?: UserError[] } | null)?.userErrors ?? [],
  );
  if (problems.length > 0) {
    throw new InvalidInputError(problems, data);
  }
  return data;
}

/** The reason why there was no answer. */
export function unreachable(cause: unknown): UnreachableError {
  if (cause instanceof UnreachableError) {
    return cause;
  }
  const inner = (cause as { cause?: { message?: string } })?.cause?.message;
  const message = [(cause as Error)?.message ?? String(cause), inner].filter(Boolean).join(': ');
  return new UnreachableError(message, { cause });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null
      ? (found as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, from a number of seconds or an HTTP date. */
function secondsUntilRetry(value: unknown): number | undefined {
  if (value === null || value === undefined || value === '') {
    return undefined;
  }
  let seconds = Number(value);
  if (Number.isNaN(seconds)) {
    seconds = (Date.parse(String(value)) - Date.now()) / 1000;
  }
  return Number.isNaN(seconds)
    ? undefined
    : Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER_SECONDS);
}
