/** Whether what is watched moves: for a quiet line when it does not. */
import { useSyncExternalStore } from 'react';
import type { FollowState } from './following';

export type LiveStatus = 'idle' | 'connecting' | 'live' | 'lost';

const states = new Map<symbol, FollowState>();
const listeners = new Set<() => void>();
let status: LiveStatus = 'idle';
let wasLost = false;

/** Notes how one followed subscription is doing; null when it has ended. */
export function reportState(who: symbol, state: FollowState | null): void {
  if (state === null) {
    states.delete(who);
  } else {
    states.set(who, state);
  }
  const next = summary();
  if (next !== status) {
    status = next;
    for (const listener of listeners) {
      listener();
    }
  }
}

function summary(): LiveStatus {
  const all = new Set(states.values());
  // While it tries again it is still lost.
  wasLost = all.has('waiting') || (wasLost && all.has('connecting'));
  if (all.size === 0) {
    return 'idle';
  }
  if (wasLost) {
    return 'lost';
  }
  return all.has('connecting') ? 'connecting' : 'live';
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );
}
