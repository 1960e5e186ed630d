/** The errors of this package. */
import type { Event } from './events.js';

/** Anything that this package throws. */
export class MetergraphError extends Error {
  override name = 'MetergraphError';
}

/** There was no answer of Metergraph: no connection, a timeout, or a proxy's error page. */
export class UnreachableError extends MetergraphError {
  override name = 'UnreachableError';
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    options: { status?: number; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** An error as GraphQL writes it. */
export interface GraphQLError {
  message?: string;
  path?: readonly (string | number)[];
  extensions?: Record<string, unknown>;
}

/** Metergraph answered with an error. docs/api.md lists the codes. */
export class ApiError extends MetergraphError {
  override name = 'ApiError';
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly extensions: Record<string, unknown>;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(error: GraphQLError, status: number, retryAfterSeconds?: number) {
    const extensions = error.extensions ?? {};
    super(`${extensions.code ?? 'UNKNOWN'}: ${error.message ?? ''}`);
    this.code = String(extensions.code ?? 'UNKNOWN');
    this.path = error.path ?? [];
    this.extensions = extensions;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same request can be sent again, later, and cannot take effect twice. */
  get retryable(): boolean {
    return this.code === 'RATE_LIMITED' || this.extensions.retryable === true;
  }
}

/** A problem with the input of a mutation. */
export interface UserError {
  code: string;
  message: string;
  path: readonly string[];
}

/** A mutation answered with userErrors. */
export class InvalidInputError extends MetergraphError {
  override name = 'InvalidInputError';

  constructor(
    readonly userErrors: readonly UserError[],
    /** The whole answer, which matters if the document has several mutations. */
    readonly data: unknown,
  ) {
    super(userErrors.map(({ code, message }) => `${code}: ${message}`).join('; '));
  }
}

/** An event was not taken, because too many are waiting to be delivered. */
export class QueueFullError extends MetergraphError {
  override name = 'QueueFullError';

  constructor(readonly event: Event) {
    super('The queue is full; the event was not taken.');
  }
}

/** An event was not taken, because the client is closed. */
export class ClosedError extends MetergraphError {
  override name = 'ClosedError';

  constructor(readonly event: Event) {
    super('The client is closed; the event was not taken.');
  }
}

/** flush() did not finish in time. The events are still in the queue, and delivery goes on. */
export class FlushTimeoutError extends MetergraphError {
  override name = 'FlushTimeoutError';

  constructor(readonly queued: number) {
    super(`${queued} events are not delivered yet.`);
  }
}

/**
 * close() gave up.
 *
 * An event whose answer was lost may be stored nevertheless. Sending it again is safe, because it
 * keeps its external id.
 */
export class UndeliveredError extends MetergraphError {
  override name = 'UndeliveredError';

  constructor(readonly events: readonly Event[]) {
    super(`${events.length} events were not delivered.`);
  }
}
