import { useEffect } from 'react';

const PAUSE = 1500;

/** Asks again every moment while something is on its way. */
export function useFollowing(isUnderWay: boolean, again: () => void): void {
  useEffect(() => {
    if (!isUnderWay) {
      return;
    }
    const timer = setInterval(again, PAUSE);
    return () => clearInterval(timer);
  }, [isUnderWay, again]);
}
