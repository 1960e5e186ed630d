import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { AuditActorKind, AuditCells_EntryFragment } from '../../api/generated/graphql';
import { Code } from '../../ui/Code';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import styles from './Audit.module.css';
import { describeAction } from './actions';

export const AuditCells_entry = graphql(`
  fragment AuditCells_entry on AuditEntry {
    id
    at
    actorKind
    actor
    action
    input
    object {
      __typename
      id
      ... on AccessToken {
        tokenName: name
      }
      ... on Customer {
        ...CustomerName_customer
      }
      ... on CustomerMeter {
        customer {
          id
          ...CustomerName_customer
        }
      }
      ... on Event {
        eventName: name
      }
      ... on Invoice {
        number
      }
      ... on Meter {
        meterName: name
      }
      ... on Product {
        productName: name
      }
    }
  }
`);

export type AuditRow = { id: string } & FragmentType<typeof AuditCells_entry>;

const KINDS: Record<AuditActorKind, string> = {
  BROWSER: 'Dashboard',
  COMMAND_LINE: 'Command line',
  TOKEN: 'API',
};

export function auditColumns({ withObject }: { withObject: boolean }): Column<AuditRow>[] {
  const columns: Column<AuditRow>[] = [
    {
      title: 'When',
      nowrap: true,
      cell: (row) => <Time at={readFragment(AuditCells_entry, row).at} />,
    },
    {
      title: 'What',
      isName: true,
      cell: (row) => <What entry={readFragment(AuditCells_entry, row)} />,
    },
    {
      title: 'Object',
      cell: (row) => <ObjectOf entry={readFragment(AuditCells_entry, row)} />,
    },
    {
      title: 'Who',
      nowrap: true,
      cell: (row) => {
        const { actor, actorKind } = readFragment(AuditCells_entry, row);
        return (
          <>
            <bdi>{actor}</bdi> <span className={styles.kind}>{KINDS[actorKind]}</span>
          </>
        );
      },
    },
  ];
  return withObject ? columns : columns.filter(({ title }) => title !== 'Object');
}

/** What was done; what was sent unfolds below it. */
function What({ entry: { action, input } }: { entry: AuditCells_EntryFragment }) {
  const text = describeAction(action);
  return Object.keys(input).length === 0 ? (
    text
  ) : (
    <details className={styles.what}>
      <summary>{text}</summary>
      <Code text={JSON.stringify(input, null, 2)} label={`input of ${action}`} />
    </details>
  );
}

function ObjectOf({ entry: { object, input } }: { entry: AuditCells_EntryFragment }) {
  switch (object?.__typename) {
    case undefined:
      return null;
    case 'AccessToken':
      return <bdi>{object.tokenName}</bdi>;
    case 'Customer':
      return <CustomerLink customer={object} />;
    case 'CustomerMeter':
      return <CustomerLink customer={object.customer} />;
    case 'CustomerSubscription':
      return (
        <Link to="/subscriptions/$id" params={{ id: object.id }}>
          Subscription
        </Link>
      );
    case 'Event':
      return (
        <>
          <Link to="/events/$id" params={{ id: object.id }}>
            <bdi>{object.eventName}</bdi>
          </Link>
          {namesSeveral(input) && ' and others'}
        </>
      );
    case 'Invoice':
      return (
        <Link to="/invoices/$id" params={{ id: object.id }}>
          {object.number}
        </Link>
      );
    case 'Meter':
      return (
        <Link to="/meters/$id" params={{ id: object.id }}>
          <bdi>{object.meterName}</bdi>
        </Link>
      );
    case 'Product':
      return (
        <Link to="/products/$id" params={{ id: object.id }}>
          <bdi>{object.productName}</bdi>
        </Link>
      );
    default:
      return null;
  }
}

/** Whether a call was about more than one event, of which its entry links one. */
function namesSeveral(input: Record<string, unknown>): boolean {
  const { ids, externalIds } = input;
  return [ids, externalIds].flatMap((each) => (Array.isArray(each) ? each : [])).length > 1;
}
