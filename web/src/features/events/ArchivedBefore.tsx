import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { formatInstant } from '../../format/time';
import { useZone } from '../../ui/zone';
import styles from './Events.module.css';

const EventsFrom = graphql(`
  query EventsFrom {
    me {
      organization {
        id
        eventsFrom
      }
    }
  }
`);

/** Says that a list of events which reaches into archived months leaves events out. */
export function ArchivedBefore({
  start,
  isEnd,
}: {
  /** Where the list begins; null if it has all events. */
  start: string | null;
  /** Whether the earliest events are shown. */
  isEnd: boolean;
}) {
  const zone = useZone();
  const [{ data }] = useQuery({ query: EventsFrom });
  const from = data?.me.organization.eventsFrom;
  const reaches = start === null ? isEnd : from != null && Date.parse(start) < Date.parse(from);
  return (
    from != null &&
    reaches && (
      <p className={styles.archived}>
        Events from before {formatInstant(from, zone)} are archived and not listed. Their usage
        stays.
      </p>
    )
  );
}
