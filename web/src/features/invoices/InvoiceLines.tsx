import { type ReactNode, Suspense, useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { InvoiceLineKind } from '../../api/generated/graphql';
import { formatPeriod } from '../../format/time';
import { plural } from '../../format/units';
import { Button } from '../../ui/Button';
import { classes } from '../../ui/classes';
import { Money, Quantity } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';
import { useZone } from '../../ui/zone';
import { computation } from './computation';
import styles from './Invoice.module.css';

export const InvoiceLines_line = graphql(`
  fragment InvoiceLines_line on InvoiceLine {
    ordinal
    kind
    description
    periodStart
    periodEnd
    consumedUnits
    creditedUnits
    billableUnits
    convertedUnits
    rate {
      unitAmount
    }
    amount
    price {
      __typename
      id
      currency
      ... on MeteredPrice {
        pricing
        unitAmount
        packageAmount
        packageSize
        capAmount
        minimumAmount
        billsFlatAmountAtZero
        conversion {
          divideBy
        }
        tiers {
          upTo
          unitAmount
          flatAmount
        }
        meter {
          id
          unit
        }
      }
    }
  }
`);

/** The usage that a line charges for. */
export interface LineUsage {
  meterId: string;
  periodStart: string;
  periodEnd: string;
}

type Line = { place: number; line: FragmentType<typeof InvoiceLines_line> };

const KINDS: Record<InvoiceLineKind, string> = {
  BALANCE: 'From credit notes and negative invoices',
  CORRECTION: 'Correction',
  DISCOUNT: 'Off the other lines',
  FIXED: 'In advance',
  METERED: 'Usage',
  MINIMUM: 'For usage of all prices together',
  PRORATION: 'Prorated',
};

/** What an invoice charges for, and how each line is computed. */
export function InvoiceLines({
  lines,
  currency,
  total,
  usageLink,
  why,
  trialEndsAt = null,
}: {
  lines: readonly FragmentType<typeof InvoiceLines_line>[];
  currency: string;
  total: number;
  /** Leads to what was counted, where there is a page about it. */
  usageLink?: ((usage: LineUsage) => ReactNode) | undefined;
  /** Takes the line with this number apart, in a dialog. */
  why?: ((ordinal: number, onClose: () => void) => ReactNode) | undefined;
  /** The end of the subscription's trial, in which usage costs nothing. */
  trialEndsAt?: string | null | undefined;
}) {
  const zone = useZone();
  const [asked, setAsked] = useState<number | null>(null);
  const units = (title: string, field: 'consumedUnits' | 'creditedUnits' | 'billableUnits') => ({
    title,
    isNumber: true,
    isMinor: true,
    cell: ({ line }: Line) => {
      const value = readFragment(InvoiceLines_line, line)[field];
      return value == null ? null : <Quantity value={value} />;
    },
  });
  const columns: Column<Line>[] = [
    {
      title: 'Description',
      isName: true,
      isWhole: true,
      foot: 'Total',
      cell: ({ line }) => {
        const { ordinal, description, kind, periodStart, periodEnd, price, ...units } =
          readFragment(InvoiceLines_line, line);
        // A line about more than one price has a price, but not the price's units.
        const isMetered = price.__typename === 'MeteredPrice' && units.billableUnits != null;
        const unit = isMetered ? price.meter.unit : null;
        return (
          <>
            <bdi>{description}</bdi>
            {unit && (
              <span className={styles.unit}>
                {' '}
                in <bdi>{plural(unit)}</bdi>
              </span>
            )}
            <div className={styles.lineNote}>
              {KINDS[kind]}
              {kind !== 'BALANCE' &&
                kind !== 'DISCOUNT' &&
                `, ${formatPeriod(periodStart, periodEnd, zone)}`}
              {units.billableUnits != null && (
                <div className={styles.narrow}>
                  <Quantity value={units.consumedUnits ?? null} /> used,{' '}
                  <Quantity value={units.creditedUnits ?? null} /> credit,{' '}
                  <Quantity value={units.billableUnits} /> billable
                </div>
              )}
              {kind === 'METERED' &&
                isMetered &&
                (isUpTo(periodEnd, trialEndsAt)
                  ? ['Free in the trial']
                  : computation(
                      units.rate ? { ...price, unitAmount: units.rate.unitAmount } : price,
                      units.billableUnits ?? '0',
                      units.convertedUnits,
                    )
                ).map((part) => <div key={part}>{part}</div>)}
              {isMetered && usageLink?.({ meterId: price.meter.id, periodStart, periodEnd })}
              {why && kind !== 'BALANCE' && (
                <div className={classes(styles.why, 'screen-only')}>
                  <Button small onClick={() => setAsked(ordinal)}>
                    Why this much?
                  </Button>
                </div>
              )}
            </div>
          </>
        );
      },
    },
    units('Used', 'consumedUnits'),
    units('Credit', 'creditedUnits'),
    units('Billable', 'billableUnits'),
    {
      title: 'Amount',
      isNumber: true,
      foot: (
        <span className={styles.total}>
          <Money amount={total} currency={currency} />
        </span>
      ),
      cell: ({ line }) => (
        <Money amount={readFragment(InvoiceLines_line, line).amount} currency={currency} />
      ),
    },
  ];
  return (
    <>
      <Table
        label="Lines"
        columns={columns}
        rows={lines.map((line, place) => ({ line, place }))}
        keyOf={({ place }) => String(place)}
      />
      {lines.some((line) => readFragment(InvoiceLines_line, line).kind === 'CORRECTION') && (
        <p className={styles.explained}>
          <strong>What a correction is:</strong> some usage was reported after its period had been
          invoiced. That period was computed again with all of its usage. The correction is the
          difference, up or down, from what was invoiced then.
        </p>
      )}
      <Suspense>{asked !== null && why?.(asked, () => setAsked(null))}</Suspense>
    </>
  );
}

function isUpTo(end: string, limit: string | null): boolean {
  return limit !== null && Date.parse(end) <= Date.parse(limit);
}
