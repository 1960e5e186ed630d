import { useEffect, useRef } from 'react';

/** Calls back each time that a value has become another, but not for its first. */
export function useAgain(callback: () => void, value: unknown): void {
  const seen = useRef(value);
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    if (seen.current !== value) {
      seen.current = value;
      latest.current();
    }
  }, [value]);
}
