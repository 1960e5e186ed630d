/** What alerts watch, in words and in the unit's terms. */
import type { UsageAlertKind } from '../../api/generated/graphql';
import { formatDecimal } from '../../format/decimals';
import { Money, Quantity } from '../../ui/Figures';

export const KINDS: { value: UsageAlertKind; label: string; about: string }[] = [
  {
    value: 'CONSUMED_UNITS',
    label: 'Usage',
    about: 'Triggers when the usage of the period reaches a number of units.',
  },
  {
    value: 'CREDIT_BALANCE',
    label: 'Balance',
    about: 'Triggers when the credit less the usage falls to a number of units.',
  },
  {
    value: 'CREDIT_USED_PERCENT',
    label: 'Used share of the credit',
    about: 'Triggers when the usage reaches a percentage of the credit.',
  },
  {
    value: 'ESTIMATED_AMOUNT',
    label: 'Estimated charges',
    about: 'Triggers when the next invoices would reach an amount, over all meters.',
  },
];

const WATCHED: Record<UsageAlertKind, string> = {
  CONSUMED_UNITS: 'Usage',
  CREDIT_BALANCE: 'Balance',
  CREDIT_USED_PERCENT: 'Used credit',
  ESTIMATED_AMOUNT: 'Estimated charges',
};

export function watched(kind: UsageAlertKind): string {
  return WATCHED[kind];
}

/** A threshold or the value that reached it. An amount without a currency is in minor units. */
export function Level({
  kind,
  value,
  unit,
  currency,
}: {
  kind: UsageAlertKind;
  value: string;
  unit?: string | null;
  currency?: string | null;
}) {
  if (kind === 'CREDIT_USED_PERCENT') {
    return <data value={value}>{formatDecimal(value)}%</data>;
  }
  if (kind !== 'ESTIMATED_AMOUNT') {
    return <Quantity value={value} unit={unit ?? null} />;
  }
  return currency ? (
    <Money amount={value} currency={currency} />
  ) : (
    <data value={value}>{formatDecimal(value)} minor units</data>
  );
}
