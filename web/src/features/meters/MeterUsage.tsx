import { useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { formatChange } from '../../format/decimals';
import { exactRange } from '../../format/ranges';
import { formatInstant, formatPeriod, type Interval } from '../../format/time';
import type { Point } from '../../ui/chart/series';
import { TimeChart } from '../../ui/chart/TimeChart';
import { Checkbox, ToolSelect } from '../../ui/Field';
import { Quantity } from '../../ui/Figures';
import { Card, Figure, Figures, Stack } from '../../ui/Surface';
import { Segments } from '../../ui/Tabs';
import { CustomerFilter } from '../customers/CustomerFilter';
import { GroupBySelect } from '../grouping/GroupBySelect';
import { groupingsOf } from '../grouping/groups';
import { groupedBy, useGrouping } from '../viewing/grouping';
import type { View } from '../viewing/view';
import { mergingOf } from './aggregation';
import { MeterGroups } from './MeterGroups';

export const MeterUsage_meter = graphql(`
  fragment MeterUsage_meter on Meter {
    id
    name
    unit
    dimensions
    completeFrom
    dimensionsCompleteFrom
    aggregation {
      function
    }
    quantities(
      start: $start
      end: $end
      interval: $interval
      timezone: $zone
      customerId: $customerId
    ) {
      points {
        start
        end
        quantity
      }
      total
      completeThrough
    }
    before: quantities(
      start: $beforeStart
      end: $beforeEnd
      interval: $interval
      timezone: $zone
      customerId: $customerId
    )
      @include(if: $compares) {
      points {
        start
        end
        quantity
      }
      total
    }
  }
`);

const INTERVALS: Record<Interval, string> = {
  HOUR: 'By hour',
  DAY: 'By day',
  WEEK: 'By week',
  MONTH: 'By month',
  YEAR: 'By year',
};

/** What a meter counted in a range, as a chart or a table, beside the range before it. */
export function MeterUsage({
  meter: of,
  view,
  interval,
  intervals,
  compares,
  customerId,
  moved,
  isFetching,
  setCompares,
  setInterval,
}: {
  meter: FragmentType<typeof MeterUsage_meter>;
  view: View;
  interval: Interval;
  intervals: readonly Interval[];
  compares: boolean;
  customerId: string | null;
  /** Another whenever usage has changed. */
  moved: unknown;
  isFetching: boolean;
  setCompares(compares: boolean): void;
  setInterval(interval: Interval): void;
}) {
  const [form, setForm] = useState<'chart' | 'table'>('chart');
  const meter = readFragment(MeterUsage_meter, of);
  const { quantities, before, unit, dimensions } = meter;
  const grouping = useGrouping();
  const by = groupedBy(grouping, dimensions);
  const total = quantities.total ?? null;
  const totalBefore = before?.total ?? null;
  const change = total !== null && totalBefore !== null ? formatChange(totalBefore, total) : null;
  const onPick =
    quantities.points.length > 1
      ? ({ start, end }: Point) => view.setRange(exactRange(start, end))
      : undefined;
  const completeFrom = (by.length > 0 && meter.dimensionsCompleteFrom) || meter.completeFrom;
  const earliest = compares ? view.before.start : view.bounds.start;
  const periodBefore = formatPeriod(view.before.start, view.before.end, view.zone);
  return (
    <Card
      title="Usage"
      tools={
        <>
          <CustomerFilter />
          {dimensions.length > 0 && (
            <GroupBySelect groupings={groupingsOf(dimensions)} by={by} onChange={grouping.setBy} />
          )}
          <Checkbox label="Compare" checked={compares} onChange={setCompares} />
          <ToolSelect
            label="Interval"
            value={interval}
            options={intervals.map((value) => ({ value, label: INTERVALS[value] }))}
            onChange={setInterval}
          />
          <Segments
            label="Show as"
            options={[
              { key: 'chart', title: 'Chart' },
              { key: 'table', title: 'Table' },
            ]}
            selected={form}
            onSelect={setForm}
          />
        </>
      }
    >
      <Stack>
        <Figures>
          <Figure
            label={formatPeriod(view.bounds.start, view.bounds.end, view.zone)}
            note={change !== null && `${change} compared with ${periodBefore}`}
          >
            <Quantity
              value={total}
              unit={unit ?? null}
              completeThrough={quantities.completeThrough}
            />
          </Figure>
          {before && (
            <Figure label={periodBefore}>
              <Quantity value={totalBefore} unit={unit ?? null} />
            </Figure>
          )}
        </Figures>
        {view.isWidened && (
          <p role="note">
            Events of this range are archived, so it is widened to whole hours:{' '}
            {formatInstant(view.bounds.start, view.zone)} to{' '}
            {formatInstant(view.bounds.end, view.zone)}.
          </p>
        )}
        {completeFrom && Date.parse(earliest) < Date.parse(completeFrom) && (
          <p role="note">
            Usage from before {formatInstant(completeFrom, view.zone)} is not complete: events of
            that time were archived before the meter could count them.
          </p>
        )}
        {by.length > 0 ? (
          <MeterGroups
            {...{ meter, by, grouping, interval, customerId, moved }}
            bounds={view.bounds}
            zone={view.zone}
            asTable={form === 'table'}
            onPick={onPick}
          />
        ) : (
          <TimeChart
            label={`${meter.name}, ${INTERVALS[interval].toLowerCase()}`}
            series={[{ name: meter.name, points: quantities.points }]}
            before={before && { name: periodBefore, points: before.points }}
            kind={interval === 'HOUR' ? 'area' : 'bar'}
            interval={interval}
            unit={unit ?? null}
            merging={mergingOf(meter.aggregation.function)}
            completeThrough={quantities.completeThrough}
            loading={isFetching && quantities.points.length === 0}
            asTable={form === 'table'}
            height={280}
            {...(onPick && { onPick })}
          />
        )}
      </Stack>
    </Card>
  );
}
