/** What is known of a range once events are archived. The portal has no such ranges, and loads none of this. */
import type { Bounds, Range } from '../../format/ranges';
import type { Instant } from '../../format/time';

const HOUR = 3_600_000;

/** Whether a range is from one instant to another, of which days have none. */
export function isExact(range: Range): boolean {
  return range.includes('T');
}

/** The same bounds, but whole hours where events are archived: less of them is not known there. */
export function knownBounds({ start, end }: Bounds, eventsFrom: Instant | null): Bounds {
  const stored = eventsFrom === null ? Number.NEGATIVE_INFINITY : Date.parse(eventsFrom);
  const known = (at: Instant, round: (hours: number) => number) => {
    const whole = round(milliseconds(at) / HOUR) * HOUR;
    const isKnown = milliseconds(at) >= stored || whole === milliseconds(at);
    return isKnown ? at : new Date(whole).toISOString();
  };
  return { start: known(start, Math.floor), end: known(end, Math.ceil) };
}

/** Since 1970; half of one more stands for microseconds, which Date does not have. */
function milliseconds(at: Instant): number {
  return Date.parse(at) + (/\.\d{3}\d*[1-9]/.test(at) ? 0.5 : 0);
}
