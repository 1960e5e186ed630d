/** What one looks at: a range of time in a zone, both in the address, so that every view has a link. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import {
  type Bounds,
  boundsBefore,
  boundsOf,
  exactRange,
  isRange,
  type Range,
} from '../../format/ranges';
import { isZone } from '../../format/zones';
import { useNow } from '../../ui/useNow';
import { useZone } from '../../ui/zone';
import { useEventsFrom } from './eventsFrom';
import { isExact, knownBounds } from './knownBounds';

export interface ViewSearch {
  range?: Range | undefined;
  zone?: string | undefined;
}

export const DEFAULT_RANGE: Range = '30d';

/** What an address says of the view; anything else in its place is left out. */
export function readViewSearch(search: Record<string, unknown>): ViewSearch {
  const { range, zone } = search;
  return {
    ...(typeof range === 'string' && isRange(range) && { range }),
    ...(typeof zone === 'string' && isZone(zone) && { zone }),
  };
}

export interface View {
  range: Range;
  zone: string;
  bounds: Bounds;
  /** Whether the bounds are further apart than those of the range, because events are archived. */
  isWidened: boolean;
  /** The range before, to compare with. */
  before: Bounds;
  setRange(range: Range): void;
  setZone(zone: string): void;
}

export function useView(): View {
  const search = readViewSearch(useSearch({ strict: false }) as Record<string, unknown>);
  const zone = useZone();
  const now = useNow();
  const navigate = useNavigate();
  const range = search.range ?? DEFAULT_RANGE;
  const eventsFrom = useEventsFrom();
  // Billing periods can begin and end at any instant, all other ranges with hours or days.
  const known = (bounds: Bounds) => (isExact(range) ? knownBounds(bounds, eventsFrom) : bounds);
  // Bounds change once an hour at most, and with them what is asked for.
  const asked = boundsOf(range, zone, now);
  const { start, end } = known(asked);
  const isWidened = start !== asked.start || end !== asked.end;
  const shown = isWidened ? exactRange(start, end) : range;
  const earlier = known(boundsBefore(shown, zone, now));
  return useMemo(() => {
    const change = (changes: ViewSearch) =>
      navigate({ to: '.', search: (old: object) => ({ ...old, ...changes }), resetScroll: false });
    return {
      range,
      zone,
      bounds: { start, end },
      isWidened,
      before: { start: earlier.start, end: earlier.end },
      setRange: (next) => change({ range: next }),
      setZone: (next) => change({ zone: next }),
    };
  }, [range, zone, start, end, isWidened, earlier.start, earlier.end, navigate]);
}
