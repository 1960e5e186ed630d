import { useQuery } from 'urql';
import { graphql, readFragment } from '../api/generated';
import { problemOf } from '../api/problems';
import {
  CreditGrants_meter,
  ExpiresCell,
  type Grant,
  nameOf,
  RemainingCell,
} from '../features/customers/CreditGrants';
import { grantState, inOrder, isUsable } from '../features/customers/grants';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Time } from '../ui/Figures';
import { Card } from '../ui/Surface';
import { type Column, Table } from '../ui/Table';
import { useAgain } from '../ui/useAgain';
import { useNow } from '../ui/useNow';
import styles from './Portal.module.css';

const GrantsDocument = graphql(`
  query Grants {
    viewer {
      id
      meters(first: 20) {
        nodes {
          id
          ...CreditGrants_meter
        }
      }
    }
  }
`);

/** What remains of the customer's credit and when it expires; asked for again when `moved` changes. */
export function Grants({ moved }: { moved: number }) {
  const now = useNow();
  const [{ data, error }, again] = useQuery({ query: GrantsDocument });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  if (error && data === undefined) {
    return <ErrorPanel problem={problemOf(error)} onRetry={refresh} />;
  }
  const columns: Column<Grant>[] = [
    {
      title: 'Credit',
      isName: true,
      cell: (grant) => (
        <>
          <bdi>{nameOf(grant)}</bdi>
          {grantState(grant, now) === 'coming' && (
            <div className={styles.soft}>
              From <Time at={grant.effectiveAt} />
            </div>
          )}
        </>
      ),
    },
    { title: 'Left', isNumber: true, cell: (grant) => <RemainingCell grant={grant} now={now} /> },
    { title: 'Expires', cell: (grant) => <ExpiresCell grant={grant} /> },
  ];
  return data?.viewer?.meters.nodes
    .map((meter) => readFragment(CreditGrants_meter, meter))
    .map(({ id, meter, grants }) => ({
      id,
      name: meter.name,
      usable: inOrder(grants.nodes, now).filter((grant) => isUsable(grant, now)),
    }))
    .filter(({ usable }) => usable.length > 0)
    .map(({ id, name, usable }) => (
      <Card key={id} title={`Credit left: ${name}`} flush>
        <Table
          label={`Credit left of ${name}`}
          columns={columns}
          rows={usable}
          keyOf={(grant) => grant.id}
        />
      </Card>
    ));
}
