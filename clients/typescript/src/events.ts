/**
 * Events, and how they are written as JSON.
 *
 * An event gets its id and its timestamp when it is handed over, and keeps them. So Metergraph
 * stores it once, however often it is sent, and counts it when it happened, however late it comes.
 */

/** Something that a customer did. Name the customer by exactly one of its two ids. */
export interface Event {
  /** The kind of event, such as ai_usage. */
  name: string;
  /** Your own id for the customer; a new one creates the customer. */
  externalCustomerId?: string;
  /** The customer's id in Metergraph. */
  customerId?: string;
  /** Your id for the event; only one event is stored with it. By default, the client makes one. */
  externalId?: string;
  /** When it happened. By default, now. */
  timestamp?: Date | string;
  /** The event's own data. A bigint is sent as a text, which meters read as a number. */
  metadata?: Record<string, unknown>;
}

/** The event with an id and a timestamp, if it had none. */
export function identified(event: Event): Event & { externalId: string } {
  return {
    ...event,
    externalId: event.externalId ?? uuid7(),
    timestamp: event.timestamp ?? new Date(),
  };
}

/**
 * The event as JSON, in the form of the API's `EventInput`.
 *
 * Throws a TypeError for a number that is not finite, which JSON would make null.
 */
export function toJson(event: Event): string {
  return JSON.stringify(event, (key, value: unknown) => {
    if (typeof value === 'bigint') {
      return value.toString();
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new TypeError(`An event cannot have ${value} as ${key}.`);
    }
    return value;
  });
}

/** A UUID of version 7 (RFC 9562): the time in milliseconds, then 74 random bits. */
export function uuid7(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  const now = Date.now();
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}
