/** Usage that moves: every update goes into the cache, and so to whatever shows it. */
import { useEffect, useRef } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../api/generated';

const UsageLive = graphql(`
  subscription UsageLive($customerId: ID, $meterId: ID, $after: String) {
    usageUpdated(customerId: $customerId, meterId: $meterId, after: $after) {
      customerMeter {
        id
        periodStart
        periodEnd
        consumedUnits
        creditedUnits
        balance
        updatedAt
      }
      cursor
    }
  }
`);

/** How often, at most, what follows from usage is asked for again. */
const EVERY = 1500;

export interface UsageOf {
  customerId?: string;
  meterId?: string;
}

/**
 * Follows usage for as long as the component is there.
 *
 * `onMoved` is called some time after updates, for what the server computes from usage: a chart, an
 * estimate. Never more often than every second and a half, and never while the page is hidden.
 */
export function useUsageLive({ customerId, meterId }: UsageOf, onMoved?: () => void): void {
  const client = useClient();
  const moved = useRef(onMoved);
  moved.current = onMoved;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isFirst = true;
    function later() {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (document.hidden) {
          document.addEventListener('visibilitychange', later, { once: true });
        } else {
          moved.current?.();
        }
      }, EVERY);
    }
    const { unsubscribe } = client
      .subscription(UsageLive, {
        ...(customerId !== undefined && { customerId }),
        ...(meterId !== undefined && { meterId }),
      })
      .subscribe(() => {
        // The first are the current state, which the page has just asked for.
        if (!isFirst) {
          later();
        }
        queueMicrotask(() => {
          isFirst = false;
        });
      });
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', later);
      unsubscribe();
    };
  }, [client, customerId, meterId]);
}
