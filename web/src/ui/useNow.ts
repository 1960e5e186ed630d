/** The server's time, looked at every half minute by everything that shows how long ago it was. */
import { useSyncExternalStore } from 'react';
import { serverNow } from '../api/clock';

const EVERY = 30_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = 0;

function subscribe(listener: () => void) {
  if (listeners.size === 0) {
    timer = setInterval(tick, EVERY);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
    }
  };
}

function tick() {
  now = serverNow();
  for (const listener of listeners) {
    listener();
  }
}

function read(): number {
  // Nobody kept it up to date while nobody looked.
  const current = serverNow();
  if (Math.abs(current - now) >= EVERY) {
    now = current;
  }
  return now;
}

export function useNow(): number {
  return useSyncExternalStore(subscribe, read);
}
