import { useEffect, useState } from 'react';

const PAUSE = 1500;

/**
 * Asks again every moment while something is on its way, and once more after it has come.
 *
 * What it changes elsewhere may be there a moment later.
 */
export function useFollowing(isUnderWay: boolean, again: () => void): void {
  const [isOver, setOver] = useState(true);
  if (isUnderWay && isOver) {
    setOver(false);
  }
  useEffect(() => {
    if (isOver) {
      return;
    }
    const timer = setInterval(() => {
      again();
      setOver(!isUnderWay);
    }, PAUSE);
    return () => clearInterval(timer);
  }, [isOver, isUnderWay, again]);
}
