/** Usage in tables: each cell reads what it needs. */
import { type FragmentType, readFragment } from '../../api/generated';
import { formatPeriod } from '../../format/time';
import { Quantity, Time } from '../../ui/Figures';
import { useZone } from '../../ui/zone';
import { CustomerUsage } from './usage';

interface Props {
  usage: FragmentType<typeof CustomerUsage>;
}

export function UsedCell({ usage }: Props) {
  return <Quantity value={readFragment(CustomerUsage, usage).consumedUnits} />;
}

export function CreditCell({ usage }: Props) {
  return <Quantity value={readFragment(CustomerUsage, usage).creditedUnits} />;
}

/** Without any credit there is nothing to be left of. */
export function BalanceCell({ usage }: Props) {
  const { creditedUnits, balance } = readFragment(CustomerUsage, usage);
  return creditedUnits === '0' ? '–' : <Quantity value={balance} />;
}

/** The time that the usage is of: a period, the time since a subscription, or all time. */
export function PeriodCell({ usage }: Props) {
  const zone = useZone();
  const { periodStart, periodEnd } = readFragment(CustomerUsage, usage);
  if (!periodStart) {
    return 'All time';
  }
  if (!periodEnd) {
    return (
      <>
        Since <Time at={periodStart} />
      </>
    );
  }
  return formatPeriod(periodStart, periodEnd, zone);
}
