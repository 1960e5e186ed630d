/**
 * Gathers what comes in and hands it on once a frame: the screen shows no more.
 *
 * Of updates with the same key the last one is kept, so that a thousand a second of one number are one
 * a frame. Without a key, the latest `MOST` are kept.
 */

const MOST = 500;

/** Calls back before the next frame; returns what cancels it. */
export type Schedule = (flush: () => void) => () => void;

/** Hidden pages have no frames; they keep up all the same, once a second. */
export const nextFrame: Schedule = (flush) => {
  if (document.hidden) {
    const timer = setTimeout(flush, 1000);
    return () => clearTimeout(timer);
  }
  let done = false;
  const once = () => {
    if (!done) {
      done = true;
      stop();
      flush();
    }
  };
  const frame = requestAnimationFrame(once);
  // The page may be hidden before the frame comes.
  const timer = setTimeout(once, 1000);
  const stop = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  return stop;
};

export interface Coalescer<T> {
  add(value: T): void;
  stop(): void;
}

export function coalesced<T>(
  keyOf: (value: T) => string | null,
  apply: (values: T[]) => void,
  schedule: Schedule = nextFrame,
): Coalescer<T> {
  let waiting = new Map<string | number, T>();
  let count = 0;
  let cancel: (() => void) | null = null;

  function flush() {
    cancel = null;
    const values = [...waiting.values()];
    waiting = new Map();
    apply(values);
  }

  return {
    add(value) {
      const key = keyOf(value);
      const place = key ?? count++;
      waiting.delete(place); // to the end: the order is that of the last changes
      waiting.set(place, value);
      if (key === null && waiting.size > MOST) {
        waiting.delete(waiting.keys().next().value ?? place);
      }
      cancel ??= schedule(flush);
    },
    stop() {
      cancel?.();
      cancel = null;
    },
  };
}
