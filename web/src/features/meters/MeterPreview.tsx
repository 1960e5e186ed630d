import { useState } from 'react';
import { boundsOf, intervalsOf, NAMED_RANGES, type NamedRange } from '../../format/ranges';
import { formatInstant } from '../../format/time';
import type { Choice } from '../../ui/aria/Picker';
import { TimeChart } from '../../ui/chart/TimeChart';
import { classes } from '../../ui/classes';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { ToolSelect } from '../../ui/Field';
import { Quantity, Time } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import { useNow } from '../../ui/useNow';
import { useZone } from '../../ui/zone';
import { customerName } from '../customers/CustomerName';
import { CustomerPicker } from '../customers/CustomerPicker';
import { useEventsFrom } from '../viewing/eventsFrom';
import { mergingOf } from './aggregation';
import styles from './Builder.module.css';
import { valueAt } from './meterValues';
import {
  type Preview,
  type PreviewedAggregation,
  type PreviewState,
  usePreview,
} from './usePreview';

const RANGES = Object.entries(NAMED_RANGES).map(([value, label]) => ({
  value: value as NamedRange,
  label,
}));

/** What the meter would count of the events that are there. */
export function MeterPreview({ unit }: { unit: string }) {
  const zone = useZone();
  const now = useNow();
  const [range, setRange] = useState<NamedRange>('30d');
  const [customer, setCustomer] = useState<Choice | null>(null);
  const eventsFrom = useEventsFrom();
  const { start: asked, end } = boundsOf(range, zone, now);
  const isCut = eventsFrom !== null && Date.parse(asked) < Date.parse(eventsFrom);
  const start = isCut ? eventsFrom : asked;
  const interval = intervalsOf({ start, end })[0] ?? 'DAY';
  const customerId = customer?.key ?? null;
  const preview = usePreview({ start, end, customerId, interval, zone });
  return (
    <Card
      title="Preview"
      tools={
        <ToolSelect<NamedRange>
          label="Range"
          value={range}
          options={RANGES}
          onChange={(next) => setRange(next)}
        />
      }
    >
      <div className={styles.preview}>
        <CustomerPicker
          name="previewCustomer"
          label="Customer"
          placeholder="All customers"
          chosen={customer}
          onChoose={setCustomer}
        />
        {isCut && (
          <p role="note" className={styles.note}>
            Events from before {formatInstant(eventsFrom, zone)} are archived. A new meter counts
            from then on.
          </p>
        )}
        <Answer {...preview} unit={unit} />
      </div>
    </Card>
  );
}

function Answer({ answer, state, problem, unit }: PreviewState & { unit: string }) {
  if (problem !== null && state === 'refused') {
    return <ErrorPanel problem={problem} />;
  }
  if (answer === null) {
    return <p className={styles.note}>{state === 'asking' ? 'Counting…' : HINTS[state]}</p>;
  }
  const isStale = state !== 'answered';
  return (
    <>
      <div className={classes(isStale && styles.stale)} aria-live="polite" aria-busy={isStale}>
        <p className={styles.quantity}>
          <Quantity
            value={answer.preview.quantity ?? null}
            unit={unit.trim() || null}
            completeThrough={answer.preview.completeThrough}
          />
        </p>
        <Counts preview={answer.preview} of={answer.of} />
        {isStale && (
          <p className={styles.note}>{state === 'asking' ? 'Counting…' : HINTS[state]}</p>
        )}
      </div>
      {answer.preview.matchedEvents > 0 && (
        <TimeChart
          label="Preview"
          series={[{ name: 'Preview', points: answer.preview.quantities.points }]}
          kind={answer.interval === 'HOUR' ? 'area' : 'bar'}
          interval={answer.interval}
          unit={unit.trim() || null}
          merging={mergingOf(answer.of.function)}
          completeThrough={answer.preview.completeThrough}
          height={140}
        />
      )}
      <Latest preview={answer.preview} of={answer.of} />
    </>
  );
}

const HINTS = {
  incomplete: 'Complete the conditions to see what the meter would count.',
  refused: 'Correct the condition that is marked to see what the meter would count.',
  answered: '',
};

type Of = PreviewedAggregation;

function Counts({ preview: { matchedEvents, skippedEvents }, of }: { preview: Preview; of: Of }) {
  return (
    <p className={styles.note}>
      <Quantity value={String(matchedEvents)} />{' '}
      {matchedEvents === 1 ? 'event matches' : 'events match'}
      {skippedEvents > 0 && (
        <>
          ; <Quantity value={String(skippedEvents)} /> of them {skippedEvents === 1 ? 'is' : 'are'}{' '}
          skipped, without a number in <code>{of.property}</code>
        </>
      )}
      .
    </p>
  );
}

function Latest({ preview, of }: { preview: Preview; of: Of }) {
  const events = preview.events.nodes;
  if (events.length === 0) {
    return <p className={styles.note}>No event in this range matches.</p>;
  }
  return (
    <div>
      <h3>Latest matching events</h3>
      <ol className={styles.events}>
        {events.map((event) => (
          <li key={event.id}>
            <span>
              <bdi>{event.name}</bdi>{' '}
              <span className={styles.who}>
                <bdi>{customerName(event.customer)}</bdi> · <Time at={event.timestamp} moment />
              </span>
            </span>
            {of.function !== 'COUNT' && <Counted value={valueAt(event, of.property)} />}
            <Metadata metadata={event.metadata} property={of.property} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Counted({ value }: { value: unknown }) {
  const isMissing = value === undefined || value === null;
  return (
    <span className={styles.value} data-missing={isMissing}>
      {isMissing ? 'missing' : short(value)}
    </span>
  );
}

/** Enough of an event to know it by; the key that is aggregated always, and first. */
const SHOWN = 5;

function Metadata({ metadata, property }: { metadata: Record<string, unknown>; property: string }) {
  const path = property.startsWith('metadata.') ? property.slice('metadata.'.length) : property;
  const [counted] = path.split('.');
  const entries = Object.entries(metadata).sort(
    ([a], [b]) => Number(b === counted) - Number(a === counted),
  );
  const rest = entries.length - SHOWN;
  return (
    <span className={styles.keys}>
      {entries.slice(0, SHOWN).map(([key, value]) =>
        key === counted ? (
          <mark key={key}>
            {key} {short(value)}
          </mark>
        ) : (
          <span key={key}>
            {key} {short(value)}
          </span>
        ),
      )}
      {rest > 0 && <span>+{rest}</span>}
    </span>
  );
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}
