/**
 * The queue, and the loop that empties it: one request at a time, from the front.
 *
 * An event stays in the queue until Metergraph has stored or rejected it, or the client is closed.
 * A batch that fails as a whole is sent in ever smaller parts, so that one bad event keeps back no
 * other.
 */
import { UnreachableError } from './errors.js';
import { type Event, toJson } from './events.js';
import { ask, type Endpoint } from './graphql.js';
import { INGEST, type Outcome, outcomeOf, outcomeOfFailure, type Rejection } from './outcomes.js';
import { inTime, pauseMs, Sleep } from './pausing.js';

export interface Limits {
  queueEvents: number;
  batchEvents: number;
  batchBytes: number;
  lingerMs: number;
}

interface Queued {
  number: number;
  event: Event;
  content: string;
  since: number;
}

export class Delivery {
  readonly totals = { inserted: 0, duplicates: 0, rejected: 0, retries: 0 };
  /** When it gives up, once it takes no more events. */
  #deadline: number | undefined;
  #pending: Queued[] = [];
  #bytes = 0;
  #nextNumber = 0;
  #most: number;
  #failures = 0;
  #isHurried = false;
  #running: Promise<void> | undefined;
  readonly #sleep = new Sleep();
  readonly #flushing = new Set<{ number: number; done: () => void }>();
  readonly #wantingRoom = new Set<() => void>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly limits: Limits,
    private readonly onRejected: (rejections: Rejection[]) => void,
    private readonly onFailure: (reason: string, queued: number) => void,
  ) {
    this.#most = limits.batchEvents;
  }

  get queued(): number {
    return this.#pending.length;
  }

  get isClosed(): boolean {
    return this.#deadline !== undefined;
  }

  /** Adds an event; false if the queue is full. */
  put(event: Event): boolean {
    const content = toJson(event);
    if (this.#pending.length >= this.limits.queueEvents) {
      return false;
    }
    this.#pending.push({ number: this.#nextNumber, event, content, since: performance.now() });
    this.#nextNumber += 1;
    this.#bytes += content.length;
    if (this.#isBatchFull()) {
      this.#sleep.wake();
    }
    this.#running ??= this.#run();
    return true;
  }

  /** Waits until there may be room for one more event; true if that was in time. */
  async room(milliseconds: number): Promise<boolean> {
    let wake = () => {};
    const room = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#wantingRoom.add(wake);
    try {
      return await inTime(room, milliseconds);
    } finally {
      this.#wantingRoom.delete(wake);
    }
  }

  /** Sends all events of now, and waits until they have left the queue; true if in time. */
  async flush(milliseconds: number): Promise<boolean> {
    const waiter = { number: this.#nextNumber, done: () => {} };
    const flushed = new Promise<void>((resolve) => {
      waiter.done = resolve;
    });
    this.#flushing.add(waiter);
    this.#tellWaiters();
    this.#hurry();
    try {
      return await inTime(flushed, milliseconds);
    } finally {
      this.#flushing.delete(waiter);
    }
  }

  /** Takes no more events, and is resolved when there is nothing more to send, or time is up. */
  async close(milliseconds: number): Promise<void> {
    this.#deadline ??= performance.now() + milliseconds;
    this.#hurry();
    await this.#running;
  }

  /** Takes everything out. */
  drain(): Event[] {
    const left = this.#pending.map(({ event }) => event);
    this.#pending = [];
    this.#bytes = 0;
    return left;
  }

  #hurry() {
    this.#isHurried = true;
    this.#sleep.wake();
  }

  async #run() {
    await this.#linger();
    while (this.#pending.length > 0 && performance.now() < (this.#deadline ?? Infinity)) {
      const batch = this.#front();
      await this.#act(batch, await this.#send(batch));
      await this.#linger();
    }
    this.#running = undefined;
  }

  /** Waits until the first event has waited long enough, or there are enough. */
  async #linger() {
    for (;;) {
      const [first] = this.#pending;
      const isNeeded = this.#flushing.size === 0 && !this.isClosed && !this.#isBatchFull();
      const wait = (first?.since ?? 0) + this.limits.lingerMs - performance.now();
      if (first === undefined || !isNeeded || wait <= 0) {
        return;
      }
      await this.#sleep.for(wait);
    }
  }

  async #send(batch: readonly Queued[]): Promise<Outcome> {
    const events = batch.map(({ event }) => event);
    const contents = batch.map(({ content }) => content).join(',');
    const variables = `{"input":{"onInvalid":"SKIP_INVALID","events":[${contents}]}}`;
    const body = `{"query":${JSON.stringify(INGEST)},"variables":${variables}}`;
    const left = Math.max(1, (this.#deadline ?? Infinity) - performance.now());
    try {
      const timeoutMs = Math.min(this.endpoint.timeoutMs, left);
      return outcomeOf(events, await ask(this.endpoint, body, { timeoutMs }));
    } catch (error) {
      if (error instanceof UnreachableError) {
        return outcomeOfFailure(events, error);
      }
      return { kind: 'later', reason: String(error), retryAfterSeconds: undefined, splits: true };
    }
  }

  async #act(batch: readonly Queued[], outcome: Outcome) {
    if (outcome.kind === 'halve') {
      this.#most = Math.max(1, Math.floor(batch.length / 2));
    } else if (outcome.kind === 'later') {
      await this.#tryLater(batch, outcome.reason, outcome.retryAfterSeconds, outcome.splits);
    } else {
      this.#failures = 0;
      this.#isHurried = false;
      this.#most = Math.min(this.limits.batchEvents, this.#most * 2);
      this.totals.inserted += outcome.inserted;
      this.totals.duplicates += outcome.duplicates;
      this.totals.rejected += outcome.rejections.length;
      if (outcome.rejections.length > 0) {
        this.onRejected(outcome.rejections);
      }
      this.#take(batch);
      this.#tellWaiters();
      for (const wake of this.#wantingRoom) {
        wake();
      }
    }
  }

  async #tryLater(
    batch: readonly Queued[],
    reason: string,
    retryAfterSeconds: number | undefined,
    splits: boolean,
  ) {
    if (splits) {
      if (batch.length === 1) {
        // The others go first.
        this.#pending.push(...this.#take(batch));
        this.#bytes += batch[0]?.content.length ?? 0;
      }
      this.#most = Math.max(1, Math.floor(batch.length / 2));
    }
    this.#failures += 1;
    this.totals.retries += 1;
    this.onFailure(reason, this.queued);
    const end = performance.now() + pauseMs(this.#failures, retryAfterSeconds);
    for (;;) {
      if (this.#isHurried && retryAfterSeconds === undefined) {
        this.#isHurried = false;
        this.#failures = 0;
        return;
      }
      const wait = Math.min(end, this.#deadline ?? Infinity) - performance.now();
      if (wait <= 0) {
        return;
      }
      await this.#sleep.for(wait);
    }
  }

  #isBatchFull(): boolean {
    const { batchEvents, batchBytes } = this.limits;
    return this.#pending.length >= batchEvents || this.#bytes >= batchBytes;
  }

  #front(): Queued[] {
    const batch: Queued[] = [];
    let bytes = 0;
    for (const queued of this.#pending) {
      bytes += queued.content.length;
      if (batch.length >= this.#most || (batch.length > 0 && bytes > this.limits.batchBytes)) {
        break;
      }
      batch.push(queued);
    }
    return batch;
  }

  /** Takes a batch out of the queue, unless it was drained meanwhile. */
  #take(batch: readonly Queued[]): Queued[] {
    const [first] = batch;
    if (first === undefined || this.#pending[0] !== first) {
      return [];
    }
    const taken = this.#pending.splice(0, batch.length);
    this.#bytes -= taken.reduce((bytes, { content }) => bytes + content.length, 0);
    return taken;
  }

  #tellWaiters() {
    if (this.#flushing.size === 0) {
      return;
    }
    const oldest = this.#pending.reduce((low, { number }) => Math.min(low, number), Infinity);
    for (const waiter of this.#flushing) {
      if (waiter.number <= oldest) {
        waiter.done();
        this.#flushing.delete(waiter);
      }
    }
  }
}
