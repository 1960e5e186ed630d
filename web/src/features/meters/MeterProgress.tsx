import { useEffect } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { formatDecimal } from '../../format/decimals';
import { Badge } from '../../ui/Badge';
import { Progress } from '../../ui/Progress';
import { Tools } from '../../ui/Surface';

export const MeterProgress_meter = graphql(`
  fragment MeterProgress_meter on Meter {
    id
    archivedAt
    dimensions
    progress {
      countedEvents
      skippedEvents
      pendingEvents
      dimensionsPendingEvents
      failedEvents
      completeThrough
    }
  }
`);

/** Above so many, a meter is behind, and not merely busy. */
const BEHIND = 1000;

/** Whether a meter is up to date, in a word. */
export function MeterState({ meter }: { meter: FragmentType<typeof MeterProgress_meter> }) {
  const { archivedAt, progress } = readFragment(MeterProgress_meter, meter);
  if (archivedAt) {
    return <Badge>Archived</Badge>;
  }
  if (progress.failedEvents > 0) {
    return <Badge tone="bad">Counting fails</Badge>;
  }
  if (progress.pendingEvents > BEHIND) {
    return <Badge tone="warn">Catching up</Badge>;
  }
  return (
    <Badge tone="good" dot>
      Up to date
    </Badge>
  );
}

/** How often it is asked how far a meter has come. */
const EVERY = 2000;

/** How far a meter is that counts what was there before it, or before its dimensions. */
export function CatchingUp({
  meter,
  onWait,
}: {
  meter: FragmentType<typeof MeterProgress_meter>;
  /** Asks again. */
  onWait(): void;
}) {
  const { archivedAt, dimensions, progress } = readFragment(MeterProgress_meter, meter);
  const { countedEvents, skippedEvents, pendingEvents, dimensionsPendingEvents } = progress;
  const isBehind = !archivedAt && pendingEvents > BEHIND;
  const isRecounting = !archivedAt && dimensionsPendingEvents > pendingEvents;
  useEffect(() => {
    if (isBehind || isRecounting) {
      const timer = setTimeout(onWait, EVERY);
      return () => clearTimeout(timer);
    }
  });
  if (isBehind) {
    return (
      <div>
        <Tools>Catching up: {formatDecimal(String(pendingEvents))} events to go</Tools>
        <Progress label="Events counted" value={countedEvents / (countedEvents + pendingEvents)} />
      </div>
    );
  }
  if (isRecounting) {
    const all = countedEvents + skippedEvents + pendingEvents;
    return (
      <div>
        <Tools>
          <span>
            Counting usage by <bdi>{dimensions.join(', ')}</bdi>:{' '}
            {formatDecimal(String(dimensionsPendingEvents))} events to go. Totals are right
            meanwhile.
          </span>
        </Tools>
        <Progress
          label="Events counted by dimension"
          value={Math.max(0, 1 - dimensionsPendingEvents / Math.max(all, dimensionsPendingEvents))}
        />
      </div>
    );
  }
  return null;
}
