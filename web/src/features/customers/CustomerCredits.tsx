import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { Card, Stack } from '../../ui/Surface';
import { CreditLedger } from './CreditLedger';
import { CustomerGrants } from './CustomerGrants';

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
            }
          }
          grants(last: 1) {
            nodes {
              id
            }
          }
          ...CreditLedger_meter
        }
      }
    }
  }
`);

/** The grants of each meter and its credit ledger; `moved` changes whenever usage has. */
export function CustomerCredits({ id, moved }: { id: string; moved: unknown }) {
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
    // Before it begins, a grant has no entry.
    ({ creditEntries, grants }) => creditEntries.nodes.length + grants.nodes.length > 0,
  );
  if (meters?.length === 0) {
    return (
      <Card flush>
        <Empty title="No credit yet">
          The benefits of a product grant credit at the start of every period. You can also grant
          some with “Credit units”.
        </Empty>
      </Card>
    );
  }
  return (
    <Stack>
      <CustomerGrants id={id} moved={moved} />
      {(meters ?? [undefined]).map((meter) => (
        <Card
          key={meter?.id ?? ''}
          title={meter ? `Ledger: ${meter.meter.name}` : 'Credit ledger'}
          tools={
            meter && (
              <>
                Credit of the period:{' '}
                <Quantity value={meter.creditedUnits} unit={meter.meter.unit ?? null} />
              </>
            )
          }
          flush
        >
          <CreditLedger meter={meter ?? null} />
        </Card>
      ))}
    </Stack>
  );
}
