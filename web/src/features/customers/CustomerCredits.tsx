import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity } from '../../ui/Figures';
import { Card, Stack } from '../../ui/Surface';
import { CreditLedger } from './CreditLedger';

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
          ...CreditLedger_meter
        }
      }
    }
  }
`);

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
          The benefits of a product grant credit at the start of every period. You can also grant
          some with “Credit units”.
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
          <CreditLedger meter={meter ?? null} />
        </Card>
      ))}
    </Stack>
  );
}
