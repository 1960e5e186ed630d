import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { problemOf } from '../api/problems';
import { GroupBySelect } from '../features/grouping/GroupBySelect';
import { groupingsOf } from '../features/grouping/groups';
import { mergingOf } from '../features/meters/aggregation';
import { sign } from '../format/decimals';
import { boundsOf } from '../format/ranges';
import { TimeChart } from '../ui/chart/TimeChart';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Quantity } from '../ui/Figures';
import { Card, Tools } from '../ui/Surface';
import { Segments } from '../ui/Tabs';
import { useNow } from '../ui/useNow';
import { useZone } from '../ui/zone';
import { GroupedUsage } from './GroupedUsage';
import styles from './Portal.module.css';

const UsageByDayDocument = graphql(`
  query UsageByDay($start: DateTime!, $end: DateTime!, $zone: String!) {
    viewer {
      id
      quantities(start: $start, end: $end, interval: DAY, timezone: $zone) {
        meter {
          id
          name
          unit
          dimensions
          aggregation {
            function
          }
        }
        quantities {
          points {
            start
            end
            quantity
          }
          total
          completeThrough
        }
      }
    }
  }
`);

type Days = '7d' | '30d' | '90d';
type Form = 'chart' | 'table';

/** How much of each meter was used on each day. A chunk of its own: charts are large. */
export function UsageByDay({ moved }: { moved: number }) {
  const zone = useZone();
  const now = useNow();
  const [days, setDays] = useState<Days>('30d');
  const [form, setForm] = useState<Form>('chart');
  const [grouped, setGrouped] = useState<Record<string, readonly string[]>>({});
  const { start, end } = boundsOf(days, zone, now);
  const [{ data, error }, again] = useQuery({
    query: UsageByDayDocument,
    variables: { start, end, zone },
  });
  useEffect(() => {
    if (moved > 0) {
      again({ requestPolicy: 'network-only' });
    }
  }, [moved, again]);
  const used = data?.viewer?.quantities.filter(({ quantities: { points } }) =>
    points.some(({ quantity }) => quantity != null && sign(quantity) !== 0),
  );
  return (
    <Card
      title="Usage by day"
      tools={
        <>
          <Segments
            label="Days"
            options={[
              { key: '7d', title: '7 days' },
              { key: '30d', title: '30 days' },
              { key: '90d', title: '90 days' },
            ]}
            selected={days}
            onSelect={setDays}
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
      {error && (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      )}
      {used?.length === 0 && <Empty title="No usage on these days" />}
      {used?.map(({ meter, quantities }) => (
        <div key={meter.id} className={styles.meter}>
          <div className={styles.meterHead}>
            <h3>
              <bdi>{meter.name}</bdi>
            </h3>
            <Tools>
              {meter.dimensions.length > 0 && (
                <GroupBySelect
                  groupings={groupingsOf(meter.dimensions)}
                  by={grouped[meter.id] ?? []}
                  onChange={(by) => setGrouped({ ...grouped, [meter.id]: by })}
                />
              )}
              <Quantity
                value={quantities.total ?? null}
                unit={meter.unit ?? null}
                completeThrough={quantities.completeThrough}
              />
            </Tools>
          </div>
          {grouped[meter.id]?.length ? (
            <GroupedUsage
              // Other groups are chosen from.
              key={JSON.stringify(grouped[meter.id])}
              by={grouped[meter.id] ?? []}
              bounds={{ start, end }}
              asTable={form === 'table'}
              {...{ meter, zone, moved }}
            />
          ) : (
            <TimeChart
              label={`${meter.name} by day`}
              series={[{ name: meter.name, points: quantities.points }]}
              interval="DAY"
              unit={meter.unit ?? null}
              merging={mergingOf(meter.aggregation.function)}
              completeThrough={quantities.completeThrough}
              asTable={form === 'table'}
              height={150}
            />
          )}
        </div>
      ))}
      {data === undefined && !error && (
        <TimeChart label="Loading" loading series={[]} interval="DAY" merging="sum" height={150} />
      )}
    </Card>
  );
}
