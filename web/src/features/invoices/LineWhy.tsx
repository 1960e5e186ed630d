import type { CombinedError } from '@urql/core';
import { type ReactNode, useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { LineWhy_LineFragment } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { formatUnitAmount } from '../../format/money';
import { formatPeriod } from '../../format/time';
import { plural } from '../../format/units';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Money, Quantity } from '../../ui/Figures';
import { Skeleton } from '../../ui/Skeleton';
import { type Column, Table } from '../../ui/Table';
import { useZone } from '../../ui/zone';
import { CreditEntries } from '../customers/CreditLedger';
import styles from './Invoice.module.css';

export const LineWhy_line = graphql(`
  fragment LineWhy_line on InvoiceLine {
    kind
    description
    periodStart
    periodEnd
    consumedUnits
    amount
    price {
      __typename
      id
      currency
      ... on MeteredPrice {
        meter {
          id
          unit
          aggregation {
            function
            property
            carriesOver
          }
        }
      }
    }
    explanation {
      steps {
        description
        units
        unitAmount
        flatAmount
        amount
      }
      credits {
        id
        ...CreditLedger_entry
      }
      corrects {
        description
        consumedUnits
        amount
      }
    }
  }
`);

type Explanation = NonNullable<LineWhy_LineFragment['explanation']>;
type Step = Explanation['steps'][number] & { place: number };
type Corrected = Pick<LineWhy_LineFragment, 'description' | 'consumedUnits' | 'amount'>;

/** Takes a line of an invoice apart: how its amount comes about, and the events behind it. */
export function LineWhy({
  line: of,
  error,
  again,
  events,
  onClose,
}: {
  /** Undefined while it is on its way, null if it is no more. */
  line: FragmentType<typeof LineWhy_line> | null | undefined;
  error: CombinedError | undefined;
  again(options: { requestPolicy: 'network-only' }): void;
  /** The list of its events; `property` is what the meter adds up or compares. */
  events?: (property: string | null) => ReactNode;
  onClose(): void;
}) {
  const line = of ? readFragment(LineWhy_line, of) : of;
  return (
    <Dialog title="Why this much?" wide onClose={onClose}>
      {line ? (
        <Explained line={line} events={events} />
      ) : error ? (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      ) : line === null ? (
        <p>This line is no longer on the invoice.</p>
      ) : (
        <Skeleton width="100%" height="12rem" />
      )}
    </Dialog>
  );
}

function Explained({
  line,
  events,
}: {
  line: LineWhy_LineFragment;
  events: ((property: string | null) => ReactNode) | undefined;
}) {
  const zone = useZone();
  const { explanation, price, periodStart, periodEnd } = line;
  const meter = price.__typename === 'MeteredPrice' && line.consumedUnits != null && price.meter;
  const [isListing, setListing] = useState(false);
  return (
    <>
      <p>
        <strong>
          <bdi>{line.description}</bdi>
        </strong>
        , {formatPeriod(periodStart, periodEnd, zone)}
      </p>
      {explanation ? (
        // By itself, the dialog would give it no height beside a long list of events.
        <div>
          <Table
            label="Steps"
            columns={stepColumns(line, meter ? meter.unit : null)}
            rows={explanation.steps.map((step, place) => ({ ...step, place }))}
            keyOf={({ place }) => String(place)}
          />
        </div>
      ) : (
        <p>This line was issued before Metergraph kept how amounts come about.</p>
      )}
      {explanation?.corrects && (
        <section className={styles.part}>
          <h3>What it corrects</h3>
          <p>
            The steps are those of all usage of the period that is known now, less what was billed
            before.
          </p>
          <Table
            label="What it corrects"
            columns={correctedColumns(price.currency)}
            rows={[explanation.corrects, line]}
            keyOf={({ description, amount }) => `${description} ${amount}`}
          />
        </section>
      )}
      {explanation && explanation.credits.length > 0 && (
        <section className={styles.part}>
          <h3>Credit of the period</h3>
          <CreditEntries label="Credit of the period" entries={explanation.credits} />
        </section>
      )}
      {meter && events && (
        <section className={styles.part}>
          <h3>Events</h3>
          {lasts(meter.aggregation) && (
            <p>The earliest one is from before the period, which began with its value.</p>
          )}
          {isListing ? (
            events(meter.aggregation.property ?? null)
          ) : (
            <div>
              <Button small onClick={() => setListing(true)}>
                {line.kind === 'CORRECTION' ? 'Show the late events' : 'Show the events'}
              </Button>
            </div>
          )}
        </section>
      )}
    </>
  );
}

function lasts({ function: of, carriesOver }: { function: string; carriesOver: boolean }): boolean {
  return carriesOver || of === 'TIME_WEIGHTED';
}

function stepColumns(
  { kind, amount, price: { currency } }: LineWhy_LineFragment,
  unit: string | null | undefined,
) {
  // What a discount is a part of is an amount: there are no units.
  const isOfAmount = kind === 'DISCOUNT';
  const each = (step: Step) => {
    const parts = [];
    if (step.unitAmount != null) {
      parts.push(formatUnitAmount(step.unitAmount, currency));
    }
    if (step.flatAmount != null && step.unitAmount != null) {
      parts.push(`+ ${formatUnitAmount(String(step.flatAmount), currency)} once`);
    }
    return parts.join(' ');
  };
  const columns: Column<Step>[] = [
    {
      title: 'Step',
      isName: true,
      isWhole: true,
      foot: 'Amount',
      cell: (step) => (
        <>
          {step.description}
          {each(step) && <div className={styles.narrow}>{each(step)}</div>}
        </>
      ),
    },
    {
      title: unit ? `Units, in ${plural(unit)}` : 'Units',
      isNumber: true,
      cell: ({ units }) => (units == null ? null : <Quantity value={units} />),
    },
    { title: isOfAmount ? 'Of' : 'Each', isNumber: true, isMinor: true, cell: each },
    {
      title: 'Amount',
      isNumber: true,
      foot: <Money amount={amount} currency={currency} />,
      // A step can be a fraction of a cent.
      cell: (step) =>
        isAboutUnits(step) ? null : (
          <data value={step.amount}>{formatUnitAmount(step.amount, currency)}</data>
        ),
    },
  ];
  return isOfAmount ? columns.filter(({ title }) => title !== 'Units') : columns;
}

/** Says how units follow from others, and adds nothing. */
function isAboutUnits({ unitAmount, flatAmount, amount }: Step): boolean {
  return unitAmount == null && flatAmount == null && amount === '0';
}

function correctedColumns(currency: string): Column<Corrected>[] {
  return [
    {
      title: 'Line',
      isName: true,
      cell: ({ description }) => <bdi>{description}</bdi>,
    },
    {
      title: 'Used',
      isNumber: true,
      cell: ({ consumedUnits }) =>
        consumedUnits == null ? null : <Quantity value={consumedUnits} />,
    },
    {
      title: 'Amount',
      isNumber: true,
      cell: ({ amount }) => <Money amount={amount} currency={currency} />,
    },
  ];
}
