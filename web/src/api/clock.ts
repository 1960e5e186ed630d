/**
 * The server's time: what "the last 24 hours" means must not depend on this machine's clock.
 *
 * Every answer has a Date, in whole seconds, so less than two seconds off counts as none.
 */

const TOLERANCE = 2000;

let offset = 0;

export function serverNow(): number {
  return Date.now() + offset;
}

/** Learns from an answer that was asked for at `asked` and is here now, by this machine's clock. */
export function learnTime(date: string | null, asked: number, now: number): void {
  const said = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(said)) {
    return;
  }
  // The header names a second that has begun: half of it has passed, on average.
  const difference = said + 500 - (asked + now) / 2;
  offset = Math.abs(difference) < TOLERANCE ? 0 : difference;
}
