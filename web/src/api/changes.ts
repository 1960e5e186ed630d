/** Counts what this page has changed, for what is shown of all changes. */
import { useSyncExternalStore } from 'react';

let count = 0;
const listeners = new Set<() => void>();

/** A mutation was answered. */
export function reportChange(): void {
  count += 1;
  for (const listener of listeners) {
    listener();
  }
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How many mutations were answered since the page was opened. */
export function useChanges(): number {
  return useSyncExternalStore(listen, () => count);
}
