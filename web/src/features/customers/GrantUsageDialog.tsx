import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { GrantUsageQuery } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { Dialog } from '../../ui/Dialog';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity, Time } from '../../ui/Figures';
import { type Column, Table } from '../../ui/Table';

const PERIODS = 50;

const GrantUsageDocument = graphql(`
  query GrantUsage($id: ID!, $first: Int) {
    node(id: $id) {
      id
      ... on CreditGrant {
        usage(first: $first) {
          periodStart
          periodEnd
          units
          invoice {
            id
            number
          }
        }
      }
    }
  }
`);

type Used = Extract<GrantUsageQuery['node'], { usage: unknown }>['usage'][number];

/** The periods whose usage was paid from a grant, each with its invoice. */
export function GrantUsageDialog({
  grant: { id, name },
  unit,
  onClose,
}: {
  grant: { id: string; name: string };
  unit: string | null;
  onClose(): void;
}) {
  const [{ data, error, fetching }, again] = useQuery({
    query: GrantUsageDocument,
    variables: { id, first: PERIODS },
    requestPolicy: 'cache-and-network',
  });
  const used = data?.node && 'usage' in data.node ? data.node.usage : [];
  return (
    <Dialog title={`Usage of “${name}”`} onClose={onClose}>
      {error && data === undefined ? (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      ) : (
        <Table
          label={`Periods that used ${name}`}
          columns={columnsOf(unit)}
          rows={used}
          keyOf={({ periodStart }) => periodStart}
          loading={fetching && data === undefined}
          empty={<Empty title="Not used yet">No usage was paid from this grant so far.</Empty>}
        />
      )}
      {used.length === PERIODS && <p>These are the latest {PERIODS} periods.</p>}
    </Dialog>
  );
}

function columnsOf(unit: string | null): Column<Used>[] {
  return [
    {
      title: 'Usage from',
      isName: true,
      cell: ({ periodStart }) => <Time at={periodStart} />,
    },
    {
      title: 'Until',
      isMinor: true,
      nowrap: true,
      cell: ({ periodEnd }) => (periodEnd ? <Time at={periodEnd} /> : 'Now'),
    },
    {
      title: 'Used',
      isNumber: true,
      cell: ({ units }) => <Quantity value={units} unit={unit} />,
    },
    {
      title: 'Invoice',
      nowrap: true,
      cell: ({ invoice }) =>
        invoice ? (
          <Link to="/invoices/$id" params={{ id: invoice.id }}>
            {invoice.number || 'Draft'}
          </Link>
        ) : (
          'Not yet'
        ),
    },
  ];
}
