import { formatInstant } from '../../format/time';
import { useZone } from '../../ui/zone';
import { useEventsFrom } from '../viewing/eventsFrom';
import styles from './Events.module.css';

/** Says that a list of events which reaches into archived months leaves events out. */
export function ArchivedBefore({
  start,
  isEnd = true,
}: {
  /** Where the list begins; null if it has all events. */
  start: string | null;
  /** Whether the earliest events are shown. */
  isEnd?: boolean;
}) {
  const zone = useZone();
  const from = useEventsFrom();
  const reaches = start === null ? isEnd : from !== null && Date.parse(start) < Date.parse(from);
  return (
    from !== null &&
    reaches && (
      <p className={styles.archived}>
        Events from before {formatInstant(from, zone)} are archived and not listed. Their usage
        stays.
      </p>
    )
  );
}
