/** The client: sends events in the background, asks questions, and follows live usage. */
import { Delivery } from './delivery.js';
import { ClosedError, FlushTimeoutError, QueueFullError, UndeliveredError } from './errors.js';
import { type Event, identified } from './events.js';
import { atEnd } from './exiting.js';
import { ask, dataOf, type Endpoint, endpointUrl } from './graphql.js';
import { type UsageOptions, type UsageUpdate, usageUpdated } from './live.js';
import type { Rejection } from './outcomes.js';
import { inTime } from './pausing.js';
import {
  CUSTOMER_METER,
  CUSTOMER_METERS,
  type CustomerId,
  type CustomerMeter,
  type MeterPage,
  USAGE_CHECK,
  type UsageCheck,
} from './reads.js';

export interface Options {
  /** Such as https://usage.example. */
  url: string;
  /** An access token, or in browsers that of a customer's session. */
  token: string;
  /** How long a request may take: 30,000 ms. */
  timeoutMs?: number;
  /** How many events may wait for delivery: 10,000. */
  queueEvents?: number;
  /**
   * What ingest() does when the queue is full: `throw` throws a QueueFullError; `drop` gives the
   * event to onUndelivered. ingestOrWait() waits for room.
   */
  whenFull?: 'throw' | 'drop';
  /** The most events in a request: 500. */
  batchEvents?: number;
  /** About the most bytes of events in a request: 1,000,000. */
  batchBytes?: number;
  /** How long an event may wait for others to go with it: 200 ms. */
  lingerMs?: number;
  /** How long close(), and the end of the process, may take: 10,000 ms. */
  closeMs?: number;
  /** Is called with events that Metergraph refused. By default, they are logged. */
  onRejected?: (rejections: readonly Rejection[]) => void;
  /** Is called with events that were given up, and why. By default, their ids are logged. */
  onUndelivered?: (events: readonly Event[], reason: string) => void;
  /** Is called when a request failed and is repeated after a pause. */
  onRetry?: (reason: string, queued: number) => void;
  /** In place of the global fetch. */
  fetch?: typeof fetch;
}

/** What became of the events of this client. */
export interface Stats {
  /** How many wait, or are being sent. */
  queued: number;
  inserted: number;
  /** Stored already, because an answer was lost. */
  duplicates: number;
  rejected: number;
  /** Given up: at the end, or dropped because the queue was full. */
  undelivered: number;
  /** How many requests failed and were repeated. */
  retries: number;
}

export class Metergraph {
  readonly #endpoint: Endpoint;
  readonly #options: Options;
  readonly #delivery: Delivery;
  #undelivered = 0;
  #forgetEnd: (() => void) | undefined;

  constructor(options: Options) {
    const { url, token, timeoutMs = 30_000 } = options;
    if (!token) {
      throw new TypeError('`token` is an access token of Metergraph.');
    }
    this.#options = options;
    const given = options.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
    this.#endpoint = { url: endpointUrl(url), token, timeoutMs, fetch: given };
    this.#delivery = new Delivery(
      this.#endpoint,
      {
        queueEvents: options.queueEvents ?? 10_000,
        batchEvents: options.batchEvents ?? 500,
        batchBytes: options.batchBytes ?? 1_000_000,
        lingerMs: options.lingerMs ?? 200,
      },
      (rejections) => this.#tellRejected(rejections),
      (reason, queued) =>
        tell(`${queued} events wait: ${reason}`, () => options.onRetry?.(reason, queued)),
    );
  }

  /**
   * Takes an event for delivery, and returns its external id. Never waits.
   *
   * Throws a QueueFullError or a ClosedError, or a TypeError for what JSON cannot say.
   */
  ingest(event: Event): string {
    const taken = identified(event);
    if (!this.#put(taken)) {
      if (this.#options.whenFull !== 'drop') {
        throw new QueueFullError(taken);
      }
      this.#giveUp([taken], 'the queue is full');
    }
    return taken.externalId;
  }

  /** Does what ingest() does for each event, until one is not taken. */
  ingestAll(events: Iterable<Event>): string[] {
    return Array.from(events, (event) => this.ingest(event));
  }

  /** Takes an event, and waits for room if the queue is full; after 1,000 ms, a QueueFullError. */
  async ingestOrWait(event: Event, timeoutMs = 1000): Promise<string> {
    const taken = identified(event);
    const deadline = performance.now() + timeoutMs;
    while (!this.#put(taken)) {
      const left = deadline - performance.now();
      if (left <= 0 || !(await this.#delivery.room(left))) {
        throw new QueueFullError(taken);
      }
    }
    return taken.externalId;
  }

  /** Takes events without waiting or throwing; onUndelivered gets those that cannot be taken. */
  record(events: Iterable<Event>): void {
    for (const event of Array.from(events, identified)) {
      let reason = 'the queue is full';
      try {
        if (this.#put(event)) {
          continue;
        }
      } catch (error) {
        reason = String(error);
      }
      this.#giveUp([event], reason);
    }
  }

  /** Waits until each event so far is stored or rejected; after 30,000 ms, a FlushTimeoutError. */
  async flush(timeoutMs = 30_000): Promise<void> {
    if (!(await this.#delivery.flush(timeoutMs))) {
      throw new FlushTimeoutError(this.#delivery.queued);
    }
  }

  /**
   * Delivers what is left, for up to `timeoutMs`; by default, closeMs.
   *
   * Throws an UndeliveredError with the events that are left, which onUndelivered got, too.
   */
  async close(timeoutMs = this.#options.closeMs ?? 10_000): Promise<void> {
    await inTime(this.#delivery.close(timeoutMs), timeoutMs);
    this.#forgetEnd?.();
    const left = this.#delivery.drain();
    if (left.length > 0) {
      this.#giveUp(left, 'the client was closed');
      throw new UndeliveredError(left);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get stats(): Stats {
    const { queued, totals } = this.#delivery;
    return { queued, ...totals, undelivered: this.#undelivered };
  }

  /**
   * Runs a GraphQL operation once, and returns its data.
   *
   * Throws an ApiError, an InvalidInputError for userErrors, or an UnreachableError if there was no
   * answer; a mutation may have taken effect then.
   */
  async execute<T = Record<string, unknown>>(
    query: string,
    variables: Record<string, unknown> = {},
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<T> {
    const body = JSON.stringify({ query, variables });
    return dataOf(await ask(this.#endpoint, body, options)) as T;
  }

  /**
   * Asks whether a customer may use `units` more on a meter. A number of units with a fraction
   * should be a string.
   *
   * Throws an ApiError with the code NOT_FOUND if the customer or the meter does not exist.
   */
  async usageCheck(
    options: CustomerId & { meterId: string; units?: number | string; timeoutMs?: number },
  ): Promise<UsageCheck> {
    const { timeoutMs, units = 1, ...ids } = options;
    const variables = { ...ids, units: String(units) };
    const timeout = timeoutMs === undefined ? {} : { timeoutMs };
    return (await this.execute<{ usageCheck: UsageCheck }>(USAGE_CHECK, variables, timeout))
      .usageCheck;
  }

  /** A customer's usage and balance on each of its meters. Empty for an unknown customer. */
  async customerMeters(customer: CustomerId): Promise<CustomerMeter[]> {
    const meters: CustomerMeter[] = [];
    let after: string | null = null;
    do {
      const page: MeterPage = await this.execute(CUSTOMER_METERS, { ...customer, after });
      meters.push(...(page.customer?.meters.nodes ?? []));
      const { hasNextPage, endCursor } = page.customer?.meters.pageInfo ?? { hasNextPage: false };
      after = hasNextPage ? (endCursor ?? null) : null;
    } while (after !== null);
    return meters;
  }

  /** A customer's usage and balance on a meter. Null if there is neither. */
  async customerMeter(options: CustomerId & { meterId: string }): Promise<CustomerMeter | null> {
    const found = await this.execute<{ customer: { meter: CustomerMeter | null } | null }>(
      CUSTOMER_METER,
      options,
    );
    return found.customer?.meter ?? null;
  }

  /**
   * Usage as it changes: first the current state, or with `after` what has changed since, then
   * every change. It reconnects by itself, and goes on after the last update that was taken.
   *
   *     for await (const { customerMeter } of client.usageUpdated({ meterId })) …
   */
  usageUpdated(options: UsageOptions = {}): AsyncGenerator<UsageUpdate, void, void> {
    return usageUpdated(this.#endpoint, options);
  }

  #put(event: Event): boolean {
    if (this.#delivery.isClosed) {
      throw new ClosedError(event);
    }
    const isTaken = this.#delivery.put(event);
    this.#forgetEnd ??= atEnd(
      () => this.#closeAtEnd(),
      () => this.#giveUpAtExit(),
    );
    return isTaken;
  }

  /** The event loop has nothing more to do. */
  async #closeAtEnd(): Promise<void> {
    if (this.#delivery.queued > 0) {
      await this.close().catch(() => undefined); // #giveUp has told
    }
  }

  /** The process ends, and there is no more time for requests. */
  #giveUpAtExit(): void {
    const left = this.#delivery.drain();
    if (left.length > 0) {
      this.#giveUp(left, 'the process has ended');
    }
  }

  #tellRejected(rejections: Rejection[]): void {
    const { onRejected } = this.#options;
    const [first] = rejections;
    const ids = first && `${first.event.externalId}: ${first.code}: ${first.message}`;
    const message = `Metergraph rejected ${rejections.length} events. ${ids}`;
    tell(message, onRejected && (() => onRejected(rejections)));
  }

  #giveUp(events: readonly Event[], reason: string): void {
    const { onUndelivered } = this.#options;
    this.#undelivered += events.length;
    const ids = events.slice(0, 10).map(({ externalId }) => externalId);
    const message = `${events.length} events are not delivered (${reason}): ${ids.join(', ')}`;
    tell(message, onUndelivered && (() => onUndelivered(events, reason)));
  }
}

/** Calls back, or logs if there is no callback or it fails. */
function tell(message: string, callback: (() => void) | undefined): void {
  try {
    if (callback !== undefined) {
      callback();
      return;
    }
    // biome-ignore lint/suspicious/noConsole: what is lost is said, where the application does not
    console.error(message);
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: the same
    console.error(message, error);
  }
}
