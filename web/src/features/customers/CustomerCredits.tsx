import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { CreditEntryKind, CustomerCreditsQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity, Time } from '../../ui/Figures';
import { Card, Stack } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';

const CustomerCreditsDocument = graphql(`
  query CustomerCredits($id: ID!) {
    customer(id: $id) {
      id
      meters(first: 20) {
        nodes {
          id
          creditedUnits
          meter {
            id
            name
            unit
          }
          creditEntries(last: 50) {
            nodes {
              id
              kind
              units
              reason
              createdAt
              benefit {
                id
                description
              }
            }
          }
        }
      }
    }
  }
`);

type Meter = NonNullable<CustomerCreditsQuery['customer']>['meters']['nodes'][number];
type Entry = Meter['creditEntries']['nodes'][number];

const KINDS: Record<CreditEntryKind, string> = {
  CARRIED_OVER: 'Carried over',
  EXPIRY: 'Expired',
  GRANT: 'Granted',
  MANUAL: 'By hand',
  REVOKE: 'Taken back',
};

const COLUMNS: Column<Entry>[] = [
  { title: 'Time', nowrap: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: 'Entry', nowrap: true, cell: ({ kind }) => KINDS[kind] },
  {
    title: 'Reason',
    isName: true,
    cell: ({ reason, benefit }) => <bdi>{reason ?? benefit?.description}</bdi>,
  },
  { title: 'Units', isNumber: true, cell: ({ units }) => <Quantity value={units} /> },
];

/** The credit ledger of each meter, latest entries first. */
export function CustomerCredits({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: CustomerCreditsDocument, variables: { id } });
  if (error && data === undefined) {
    return (
      <ErrorPanel
        problem={problemOf(error)}
        onRetry={() => again({ requestPolicy: 'network-only' })}
      />
    );
  }
  const meters = data?.customer?.meters.nodes.filter(
    ({ creditEntries }) => creditEntries.nodes.length > 0,
  );
  if (meters?.length === 0) {
    return (
      <Card flush>
        <Empty title="No credit yet">
          Benefits of a product grant credit at the start of every period. Credit can also be given
          by hand.
        </Empty>
      </Card>
    );
  }
  return (
    <Stack>
      {(meters ?? [undefined]).map((meter) => (
        <Card
          key={meter?.id ?? ''}
          title={meter ? meter.meter.name : 'Credit ledger'}
          tools={
            meter && (
              <>
                Credit now: <Quantity value={meter.creditedUnits} unit={meter.meter.unit ?? null} />
              </>
            )
          }
          flush
        >
          <Table
            label={`Credit ledger${meter ? ` of ${meter.meter.name}` : ''}`}
            columns={COLUMNS}
            rows={meter ? [...meter.creditEntries.nodes].reverse() : []}
            keyOf={(entry) => entry.id}
            loading={meter === undefined}
          />
        </Card>
      ))}
    </Stack>
  );
}
