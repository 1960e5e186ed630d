/** Follows events as they come in. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../api/generated';
import type { EventRow } from './EventCells';

const EventsLive = graphql(`
  subscription EventsLive($names: [String!], $customerId: ID, $after: String) {
    eventsFollowed(names: $names, customerId: $customerId, after: $after) {
      event {
        id
        ...EventCells_event
      }
      cursor
    }
  }
`);

/** The tail is for watching; more in one go, and the list is asked for again once it is quiet. */
export const LONGEST_TAIL = 100;
/** Nobody reads faster. */
const MOVES_EVERY = 400;

/**
 * Events that came in while one watched, newest first.
 *
 * The stream resumes by cursor. When more came in than the tail holds, the tail `isAhead` and the list
 * does not follow it, until `refill` has asked for the list again. `restart` forgets what came in: the
 * list has it, as it is now.
 */
export function useTail({
  name,
  customer,
  isLive,
  isPaused,
  refill,
}: {
  /** Empty for all. */
  name: string;
  customer: string;
  isLive: boolean;
  isPaused: boolean;
  refill(): void;
}) {
  const client = useClient();
  const [tail, setTail] = useState<readonly EventRow[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [isAhead, setAhead] = useState(false);
  const hasOverflown = useRef(false);
  const size = useRef(0);
  const held = useRef<EventRow[]>([]);
  const again = useRef(refill);
  again.current = refill;

  const restart = useCallback(() => {
    held.current = [];
    hasOverflown.current = false;
    size.current = 0;
    setTail([]);
    setAhead(false);
  }, []);

  useEffect(() => {
    restart();
    if (!isLive) {
      return undefined;
    }
    const { unsubscribe } = client
      .subscription(EventsLive, { names: name ? [name] : null, customerId: customer || null })
      .subscribe(({ data }) => {
        if (data) {
          const latest = [data.eventsFollowed.event, ...held.current];
          hasOverflown.current ||= latest.length > LONGEST_TAIL;
          held.current = latest.slice(0, LONGEST_TAIL);
        }
      });
    return unsubscribe;
  }, [client, name, customer, isLive, restart]);

  useEffect(() => {
    const timer = setInterval(() => {
      if (isPaused) {
        setWaiting(held.current.length);
      } else if (held.current.length > 0) {
        const latest = held.current;
        held.current = [];
        size.current += latest.length;
        hasOverflown.current ||= size.current > LONGEST_TAIL;
        setAhead(hasOverflown.current);
        // After the list was asked for again, it has what came before.
        const isFirst = size.current === latest.length;
        setTail((old) => (isFirst ? latest : [...latest, ...old].slice(0, LONGEST_TAIL)));
      } else if (hasOverflown.current) {
        hasOverflown.current = false;
        size.current = 0;
        again.current();
        setAhead(false);
      }
    }, MOVES_EVERY);
    return () => {
      clearInterval(timer);
      setWaiting(0);
    };
  }, [isPaused]);

  return { tail, waiting, isAhead, restart };
}
