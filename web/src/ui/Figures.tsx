/** Numbers and instants as they are shown everywhere: short where there is no room, exact on hover. */
import { type Decimal, formatCompact, formatDecimal, formatFitting } from '../format/decimals';
import { formatMoney } from '../format/money';
import {
  formatDate,
  formatExactInstant,
  formatInstant,
  formatMoment,
  formatRelative,
} from '../format/time';
import { unitAfter } from '../format/units';
import styles from './Figures.module.css';
import { useNow } from './useNow';
import { useZone } from './zone';

/** A quantity; null where there is nothing to aggregate. */
export function Quantity({
  value,
  unit,
  compact = false,
  completeThrough,
}: {
  value: Decimal | null;
  unit?: string | null;
  /** Always short; otherwise only where it is very long. */
  compact?: boolean;
  completeThrough?: string | null;
}) {
  const zone = useZone();
  if (value === null) {
    return <span title="Nothing to aggregate">–</span>;
  }
  const exact = formatDecimal(value);
  const name = unit && unitAfter(value, unit);
  const text = compact ? formatCompact(value) : formatFitting(value);
  const through = completeThrough
    ? `\nComplete through ${formatExactInstant(completeThrough, zone)}`
    : '';
  return (
    <data value={value} title={`${exact}${name ? ` ${name}` : ''}${through}`}>
      {text}
      {name && <span className={styles.unit}> {name}</span>}
    </data>
  );
}

export function Money({ amount, currency }: { amount: number | string; currency: string }) {
  return <data value={String(amount)}>{formatMoney(amount, currency)}</data>;
}

/** `moment`: to the second, without the year. `day`: only the day. */
export function Time({
  at,
  moment = false,
  day = false,
}: {
  at: string;
  moment?: boolean;
  day?: boolean;
}) {
  const zone = useZone();
  return (
    <time dateTime={at} title={formatExactInstant(at, zone)}>
      {(moment ? formatMoment : day ? formatDate : formatInstant)(at, zone)}
    </time>
  );
}

/** How long ago it was. The page's clock is up to half a minute late, so nothing is yet to come. */
export function RelativeTime({ at }: { at: string }) {
  const zone = useZone();
  const now = useNow();
  return (
    <time dateTime={at} title={formatExactInstant(at, zone)}>
      {formatRelative(at, Math.max(now, Date.parse(at)))}
    </time>
  );
}
