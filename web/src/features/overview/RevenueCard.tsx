import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { shift } from '../../format/decimals';
import { currencyDecimals } from '../../format/money';
import { boundsOf } from '../../format/ranges';
import { formatInstant } from '../../format/time';
import { TimeChart } from '../../ui/chart/TimeChart';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Money } from '../../ui/Figures';
import { Skeleton } from '../../ui/Skeleton';
import { Card, Figure, Figures, Stack } from '../../ui/Surface';
import { useNow } from '../../ui/useNow';
import { useView } from '../viewing/view';

const RevenueDocument = graphql(`
  query Revenue($start: DateTime!, $end: DateTime!, $zone: String!) {
    revenue(start: $start, end: $end, interval: MONTH, timezone: $zone) {
      points {
        start
        end
        amount
      }
      total
      currency
      upcoming
      upcomingCompleteThrough
    }
  }
`);

/** What was invoiced in the last twelve months, and what the next invoices come to. */
export function RevenueCard() {
  const { zone } = useView();
  const now = useNow();
  const [{ data, error }, again] = useQuery({
    query: RevenueDocument,
    variables: { ...boundsOf('12m', zone, now), zone },
  });
  if (error && data === undefined) {
    return (
      <ErrorPanel
        problem={problemOf(error)}
        onRetry={() => again({ requestPolicy: 'network-only' })}
      />
    );
  }
  const revenue = data?.revenue;
  return (
    <Card title="Invoiced by month">
      <Stack>
        {revenue === undefined ? (
          <Skeleton height="68px" />
        ) : (
          <Figures>
            <Figure label="Last 12 months">
              <Money amount={revenue.total} currency={revenue.currency} />
            </Figure>
            <Figure
              label="Next invoices, estimated"
              note={`If all periods ended ${formatInstant(revenue.upcomingCompleteThrough, zone)}`}
            >
              <Money amount={revenue.upcoming} currency={revenue.currency} />
            </Figure>
          </Figures>
        )}
        <TimeChart
          label="Invoiced by month"
          loading={revenue === undefined}
          series={[
            {
              name: 'Invoiced',
              points: (revenue?.points ?? []).map(({ start, end, amount }) => ({
                start,
                end,
                quantity: shift(String(amount), currencyDecimals(revenue?.currency ?? 'USD')),
              })),
            },
          ]}
          interval="MONTH"
          currency={revenue?.currency}
          merging="sum"
          height={170}
        />
      </Stack>
    </Card>
  );
}
