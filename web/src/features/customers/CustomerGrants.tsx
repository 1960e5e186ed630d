import { lazy, Suspense, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { Button } from '../../ui/Button';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity, Time } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { useAgain } from '../../ui/useAgain';
import { useNow } from '../../ui/useNow';
import { usePermission } from '../access/permissions';
import styles from './Credit.module.css';
import {
  CreditGrants_meter,
  ExpiresCell,
  type Grant,
  nameOf,
  RemainingCell,
  StateBadge,
} from './CreditGrants';
import { inOrder, isUsable } from './grants';

const GrantUsageDialog = lazy(async () => ({
  default: (await import('./GrantUsageDialog')).GrantUsageDialog,
}));
const VoidDialog = lazy(async () => ({ default: (await import('./VoidDialog')).VoidDialog }));

const CustomerGrantsDocument = graphql(`
  query CustomerGrants($id: ID!) {
    customer(id: $id) {
      id
      meters(first: 20) {
        nodes {
          id
          grants(last: 50) {
            nodes {
              id
            }
          }
          ...CreditGrants_meter
        }
      }
    }
  }
`);

const USUAL_PRIORITY = 50;

/** The grants of each meter; asked for again when `moved` changes. */
export function CustomerGrants({ id, moved }: { id: string; moved: unknown }) {
  const [{ data, error }, again] = useQuery({ query: CustomerGrantsDocument, variables: { id } });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  if (error && data === undefined) {
    return <ErrorPanel problem={problemOf(error)} onRetry={refresh} />;
  }
  return data?.customer?.meters.nodes
    .filter(({ grants }) => grants.nodes.length > 0)
    .map((meter) => <MeterGrants key={meter.id} meter={meter} />);
}

function MeterGrants({ meter }: { meter: FragmentType<typeof CreditGrants_meter> }) {
  const of = readFragment(CreditGrants_meter, meter);
  const now = useNow();
  const mayVoid = usePermission('BILLING_WRITE') === 'yes';
  const [voiding, setVoiding] = useState<Grant | null>(null);
  const [explained, setExplained] = useState<Grant | null>(null);
  const grants = of.grants.nodes;
  const hasPriority = grants.some(({ priority }) => priority !== USUAL_PRIORITY);
  const columns = useMemo(
    () => columnsOf(now, hasPriority, setExplained, mayVoid ? setVoiding : null),
    [now, hasPriority, mayVoid],
  );
  return (
    <Card title={`Grants: ${of.meter.name}`} flush>
      <Table
        label={`Grants of ${of.meter.name}`}
        columns={columns}
        rows={inOrder(grants, now)}
        keyOf={(grant) => grant.id}
      />
      <Suspense>
        {explained && (
          <GrantUsageDialog
            grant={{ id: explained.id, name: nameOf(explained) }}
            unit={of.meter.unit ?? null}
            onClose={() => setExplained(null)}
          />
        )}
        {voiding && (
          <VoidDialog
            grant={{ id: voiding.id, name: nameOf(voiding), remaining: voiding.remaining }}
            unit={of.meter.unit ?? null}
            onClose={() => setVoiding(null)}
          />
        )}
      </Suspense>
    </Card>
  );
}

function columnsOf(
  now: number,
  hasPriority: boolean,
  onExplain: (grant: Grant) => void,
  onVoid: ((grant: Grant) => void) | null,
): Column<Grant>[] {
  return [
    {
      title: 'Grant',
      isName: true,
      isWhole: true,
      cell: (grant) => (
        <>
          <bdi>{nameOf(grant)}</bdi>
          <div className={styles.note}>
            <StateBadge grant={grant} now={now} /> {grant.benefit ? 'Benefit' : 'By hand'}
          </div>
          {grant.voidedAt && (
            <div className={styles.note}>
              Voided <Time at={grant.voidedAt} />: <bdi>{grant.voidReason}</bdi>
            </div>
          )}
        </>
      ),
    },
    {
      title: 'Units',
      isNumber: true,
      isMinor: true,
      cell: ({ units }) => <Quantity value={units} />,
    },
    {
      title: 'Remaining',
      isNumber: true,
      cell: (grant) => <RemainingCell grant={grant} now={now} />,
    },
    {
      title: 'Begins',
      isWhole: true,
      isMinor: true,
      cell: ({ effectiveAt }) => (
        <div className={styles.instant}>
          <Time at={effectiveAt} />
        </div>
      ),
    },
    {
      title: 'Expires',
      isWhole: true,
      cell: (grant) => (
        <div className={styles.instant}>
          <ExpiresCell grant={grant} />
        </div>
      ),
    },
    ...(hasPriority
      ? [
          {
            title: 'Priority',
            isNumber: true,
            isMinor: true,
            cell: ({ priority }: Grant) => (priority === USUAL_PRIORITY ? null : priority),
          },
        ]
      : []),
    {
      title: 'Action',
      nowrap: true,
      cell: (grant) => (
        <span className={styles.actions}>
          <Button small aria-label={`Usage of ${nameOf(grant)}`} onClick={() => onExplain(grant)}>
            Usage
          </Button>
          {onVoid && isUsable(grant, now) && (
            <Button small aria-label={`Void ${nameOf(grant)}`} onClick={() => onVoid(grant)}>
              Void
            </Button>
          )}
        </span>
      ),
    },
  ];
}
