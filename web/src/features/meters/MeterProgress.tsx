import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { formatDecimal } from '../../format/decimals';
import { Badge } from '../../ui/Badge';
import { Progress } from '../../ui/Progress';
import { Tools } from '../../ui/Surface';

export const MeterProgress_meter = graphql(`
  fragment MeterProgress_meter on Meter {
    id
    archivedAt
    progress {
      countedEvents
      pendingEvents
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

/** How far a meter is that counts what was there before it. */
export function CatchingUp({ meter }: { meter: FragmentType<typeof MeterProgress_meter> }) {
  const { archivedAt, progress } = readFragment(MeterProgress_meter, meter);
  const { countedEvents, pendingEvents } = progress;
  if (archivedAt || pendingEvents <= BEHIND) {
    return null;
  }
  return (
    <div>
      <Tools>Catching up: {formatDecimal(String(pendingEvents))} events to go</Tools>
      <Progress label="Events counted" value={countedEvents / (countedEvents + pendingEvents)} />
    </div>
  );
}
