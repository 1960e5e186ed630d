import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { MeterPageQuery } from '../../api/generated/graphql';
import { formatChange } from '../../format/decimals';
import { intervalsOf } from '../../format/ranges';
import { formatPeriod, type Interval } from '../../format/time';
import { Id } from '../../ui/Code';
import { TimeChart } from '../../ui/chart/TimeChart';
import { Checkbox, ToolSelect } from '../../ui/Field';
import { Quantity, RelativeTime, Time } from '../../ui/Figures';
import {
  Card,
  Columns,
  Figure,
  Figures,
  KeyValue,
  KeyValues,
  PageHead,
  Stack,
} from '../../ui/Surface';
import { Segments } from '../../ui/Tabs';
import { CustomerFilter } from '../customers/CustomerFilter';
import { useFilters } from '../listing/filters';
import { Loaded } from '../listing/Loaded';
import { useUsageLive } from '../usage/usageLive';
import { ViewTools } from '../viewing/ViewTools';
import { useView, type View } from '../viewing/view';
import { describeAggregation, mergingOf } from './aggregation';
import { FilterText } from './FilterText';
import { MeterActions } from './MeterActions';
import { MeterCustomers } from './MeterCustomers';
import { MeterEvents } from './MeterEvents';
import { CatchingUp, MeterState } from './MeterProgress';
import { TopCustomers } from './TopCustomers';

const MeterPageDocument = graphql(`
  query MeterPage(
    $id: ID!
    $start: DateTime!
    $end: DateTime!
    $beforeStart: DateTime!
    $beforeEnd: DateTime!
    $compares: Boolean!
    $interval: Interval!
    $zone: String!
    $customerId: ID
  ) {
    meter(id: $id) {
      id
      name
      unit
      createdAt
      isLocked
      aggregation {
        function
        property
      }
      filter {
        ...FilterText_filter
      }
      progress {
        countedEvents
        skippedEvents
        completeThrough
        problems
      }
      ...MeterActions_meter
      ...MeterProgress_meter
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
  }
`);

type Meter = NonNullable<MeterPageQuery['meter']>;

const INTERVALS: Record<Interval, string> = {
  HOUR: 'By hour',
  DAY: 'By day',
  WEEK: 'By week',
  MONTH: 'By month',
  YEAR: 'By year',
};

export function MeterPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const view = useView();
  const [{ customer }] = useFilters();
  const [compares, setCompares] = useState(true);
  const [chosen, setChosen] = useState<Interval | null>(null);
  const intervals = intervalsOf(view.bounds);
  const interval = chosen && intervals.includes(chosen) ? chosen : (intervals[0] ?? 'DAY');
  const [{ data, error, fetching }, again] = useQuery({
    query: MeterPageDocument,
    variables: {
      id,
      ...view.bounds,
      beforeStart: view.before.start,
      beforeEnd: view.before.end,
      compares,
      interval,
      zone: view.zone,
      customerId: customer ?? null,
    },
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useUsageLive({ meterId: id }, refresh);
  return (
    <Loaded what="meter" value={data?.meter} error={error} onRetry={refresh}>
      {(meter) => (
        <>
          <Head meter={meter} />
          <CatchingUp meter={meter} />
          <Usage
            {...{ meter, view, interval, intervals, compares, setCompares }}
            isLoading={fetching && meter.quantities.points.length === 0}
            setInterval={setChosen}
          />
          <Card title="Top customers" flush>
            <TopCustomers
              meterId={meter.id}
              unit={meter.unit ?? null}
              bounds={view.bounds}
              first={10}
            />
          </Card>
          <MeterCustomers meterId={meter.id} unit={meter.unit ?? null} />
          <MeterEvents meterId={meter.id} />
          <Definition meter={meter} />
        </>
      )}
    </Loaded>
  );
}

function Head({ meter }: { meter: Meter }) {
  return (
    <PageHead
      above={<Link to="/meters">Meters</Link>}
      title={meter.name}
      badge={<MeterState meter={meter} />}
      about={
        <>
          {describeAggregation(meter.aggregation)} where <FilterText filter={meter.filter} />
        </>
      }
      tools={
        <>
          <ViewTools />
          <MeterActions meter={meter} />
        </>
      }
    />
  );
}

function Usage({
  meter,
  view,
  interval,
  intervals,
  compares,
  isLoading,
  setCompares,
  setInterval,
}: {
  meter: Meter;
  view: View;
  interval: Interval;
  intervals: readonly Interval[];
  compares: boolean;
  isLoading: boolean;
  setCompares(compares: boolean): void;
  setInterval(interval: Interval): void;
}) {
  const [form, setForm] = useState<'chart' | 'table'>('chart');
  const { quantities, before, unit } = meter;
  const total = quantities.total ?? null;
  const totalBefore = before?.total ?? null;
  const change = total !== null && totalBefore !== null ? formatChange(totalBefore, total) : null;
  const periodBefore = formatPeriod(view.before.start, view.before.end, view.zone);
  return (
    <Card
      title="Usage"
      tools={
        <>
          <CustomerFilter />
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
        <TimeChart
          label={`${meter.name}, ${INTERVALS[interval].toLowerCase()}`}
          series={[{ name: meter.name, points: quantities.points }]}
          before={before && { name: periodBefore, points: before.points }}
          kind={interval === 'HOUR' ? 'area' : 'bar'}
          interval={interval}
          unit={unit ?? null}
          merging={mergingOf(meter.aggregation.function)}
          completeThrough={quantities.completeThrough}
          loading={isLoading}
          asTable={form === 'table'}
          height={280}
        />
      </Stack>
    </Card>
  );
}

function Definition({ meter }: { meter: Meter }) {
  const { progress } = meter;
  return (
    <Columns>
      <Card title="Definition">
        <KeyValues>
          <KeyValue name="Counts">{describeAggregation(meter.aggregation)}</KeyValue>
          <KeyValue name="Events">
            <FilterText filter={meter.filter} />
          </KeyValue>
          <KeyValue name="Unit">{meter.unit ?? 'None'}</KeyValue>
          <KeyValue name="Can be edited">
            {meter.isLocked
              ? 'Only its name and unit: it has counted events, and invoices may follow from them.'
              : 'Yes, until it has counted its first event.'}
          </KeyValue>
          <KeyValue name="Created">
            <Time at={meter.createdAt} />
          </KeyValue>
          <KeyValue name="ID">
            <Id value={meter.id} label="meter ID" />
          </KeyValue>
        </KeyValues>
      </Card>
      <Card title="Progress">
        <KeyValues>
          <KeyValue name="Counted events">
            <Quantity value={String(progress.countedEvents)} />
          </KeyValue>
          <KeyValue name="Without a number">
            <Quantity value={String(progress.skippedEvents)} />
          </KeyValue>
          <KeyValue name="Complete through">
            <RelativeTime at={progress.completeThrough} />
          </KeyValue>
          {progress.problems.map((problem) => (
            <KeyValue key={problem} name="Counting fails">
              {problem}
            </KeyValue>
          ))}
        </KeyValues>
      </Card>
    </Columns>
  );
}
