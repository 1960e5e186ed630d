/** Alerts that trigger, as they do. */
import { useEffect, useRef } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../api/generated';

const AlertsLive = graphql(`
  subscription AlertsLive($after: String) {
    alertTriggered(after: $after) {
      trigger {
        id
        alert {
          id
        }
      }
      cursor
    }
  }
`);

/** Several alerts often trigger at once: they are shown together. */
const AFTER = 300;

/** Calls back soon after an alert has triggered, for as long as the component is there. */
export function useAlertsLive(onTriggered: () => void): void {
  const client = useClient();
  const triggered = useRef(onTriggered);
  triggered.current = onTriggered;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const { unsubscribe } = client.subscription(AlertsLive, {}).subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        triggered.current();
      }, AFTER);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [client]);
}
