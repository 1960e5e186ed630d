import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { problemOf } from '../api/problems';
import { CreditLedger } from '../features/customers/CreditLedger';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Card } from '../ui/Surface';
import { useAgain } from '../ui/useAgain';
import { Grants } from './Grants';

const CreditsDocument = graphql(`
  query Credits {
    viewer {
      id
      meters(first: 20) {
        nodes {
          id
          meter {
            id
            name
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

/** What is left of the customer's credit, and the ledger. A chunk of its own: it stands last. */
export function Credits({ credited, moved }: { credited: string; moved: number }) {
  return (
    <>
      <Grants moved={moved} />
      <Ledger credited={credited} />
    </>
  );
}

/** Where the credit of each meter came from, and went; asked for again when `credited` changes. */
function Ledger({ credited }: { credited: string }) {
  const [{ data, error }, again] = useQuery({ query: CreditsDocument });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, credited);
  if (error && data === undefined) {
    return <ErrorPanel problem={problemOf(error)} onRetry={refresh} />;
  }
  return data?.viewer?.meters.nodes
    .filter(({ creditEntries }) => creditEntries.nodes.length > 0)
    .map((meter) => (
      <Card key={meter.id} title={`Credit: ${meter.meter.name}`} flush>
        <CreditLedger meter={meter} />
      </Card>
    ));
}
