/** The instant from which events are stored. Those from before are archived; null if none are. */
import { createContext, useContext } from 'react';
import type { Instant } from '../../format/time';

export const EventsFromContext = createContext<Instant | null>(null);

export function useEventsFrom(): Instant | null {
  return useContext(EventsFromContext);
}
