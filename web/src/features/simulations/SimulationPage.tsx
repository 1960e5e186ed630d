import { Link, useParams } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { SimulationPageQuery } from '../../api/generated/graphql';
import { formatChange, share } from '../../format/decimals';
import { formatMoney } from '../../format/money';
import { formatPeriod } from '../../format/time';
import { buttonClass } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { Money, Quantity, Time } from '../../ui/Figures';
import { Progress } from '../../ui/Progress';
import { Card, Figure, Figures, PageHead } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { useFollowing } from '../../ui/useFollowing';
import { IfAllowed } from '../access/permissions';
import { CustomerLink } from '../customers/CustomerName';
import { Loaded } from '../listing/Loaded';
import styles from './Simulation.module.css';
import { SimulationStatus } from './SimulationStatus';

const SimulationPageDocument = graphql(`
  query SimulationPage($id: ID!) {
    priceSimulation(id: $id) {
      id
      name
      status
      progress
      failure
      currency
      start
      end
      total
      currentTotal
      expiresAt
      product {
        id
        name
      }
      more: customers(first: 25) {
        totalCount
        nodes {
          amount
          currentAmount
          difference
          customer {
            id
            ...CustomerName_customer
          }
        }
      }
      less: customers(last: 25) {
        nodes {
          amount
          currentAmount
          difference
          customer {
            id
            ...CustomerName_customer
          }
        }
      }
    }
  }
`);

type Simulation = NonNullable<SimulationPageQuery['priceSimulation']>;

export function SimulationPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: SimulationPageDocument, variables: { id } });
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  const simulation = data?.priceSimulation;
  useFollowing(simulation?.status === 'RUNNING', refresh);
  return (
    <Loaded what="simulation" value={simulation} error={error} onRetry={refresh}>
      {(found) => <Result simulation={found} />}
    </Loaded>
  );
}

function Result({ simulation }: { simulation: Simulation }) {
  const { id, name, status, product, start, end, progress, failure, expiresAt } = simulation;
  return (
    <>
      <PageHead
        above={
          product ? (
            <Link to="/products/$id" params={{ id: product.id }}>
              <bdi>{product.name}</bdi>
            </Link>
          ) : (
            <Link to="/products">Products</Link>
          )
        }
        title={name ?? 'Simulated prices'}
        badge={<SimulationStatus status={status} />}
        about={`Usage of ${formatPeriod(start, end, 'UTC')}`}
        tools={
          <IfAllowed scope="BILLING_WRITE">
            <Link to="/products/new" search={{ simulation: id }} className={buttonClass()}>
              Create product with these prices
            </Link>
          </IfAllowed>
        }
      />
      {status === 'RUNNING' && (
        <Card title="Simulating">
          <p role="status">{Math.floor(progress * 100)}% of the customers</p>
          <Progress label="Customers simulated" value={progress} />
        </Card>
      )}
      {status === 'FAILED' ? (
        <Card title="This can’t be simulated">
          <p role="alert">{failure}</p>
        </Card>
      ) : status === 'DONE' && simulation.more.totalCount === 0 ? (
        <Nobody product={product} />
      ) : (
        <Comparison simulation={simulation} />
      )}
      <p>
        The prices exist in this simulation only. It is deleted on <Time at={expiresAt} day />.
      </p>
    </>
  );
}

function Nobody({ product }: { product: Simulation['product'] }) {
  return (
    <Card flush>
      <Empty
        title="No customers"
        action={
          product && (
            <Link to="/products/$id/simulate" params={{ id: product.id }} className={buttonClass()}>
              Simulate other days
            </Link>
          )
        }
      >
        {product
          ? 'No customer subscribed to the product in that time.'
          : 'No customer used one of the meters in that time.'}
      </Empty>
    </Card>
  );
}

function Comparison({ simulation }: { simulation: Simulation }) {
  const { currency, total, currentTotal, more, less } = simulation;
  const payMore = more.nodes.filter(({ difference }) => difference > 0);
  const payLess = less.nodes.filter(({ difference }) => difference < 0).reverse();
  const most = Math.max(
    1,
    ...[...payMore, ...payLess].map(({ difference }) => Math.abs(difference)),
  );
  const change = formatChange(String(currentTotal), String(total));
  return (
    <>
      <Figures>
        <Figure label="At these prices">
          <Money amount={total} currency={currency} />
        </Figure>
        <Figure label="Was billed" note="Issued invoices, for the same time">
          <Money amount={currentTotal} currency={currency} />
        </Figure>
        <Figure label="Difference" note={change}>
          {signed(total - currentTotal, currency)}
        </Figure>
        <Figure label="Customers">
          <Quantity value={String(more.totalCount)} />
        </Figure>
      </Figures>
      <div className={styles.columns}>
        <Card title="Would pay more" flush>
          <Differences
            label="Customers who would pay more"
            rows={payMore}
            bar={styles.more}
            {...{ most, currency }}
          />
        </Card>
        <Card title="Would pay less" flush>
          <Differences
            label="Customers who would pay less"
            rows={payLess}
            bar={styles.less}
            {...{ most, currency }}
          />
        </Card>
      </div>
    </>
  );
}

type Row = Simulation['more']['nodes'][number];

/** Those who gain or lose most, each with a bar that is a share of the largest difference. */
function Differences({
  label,
  rows,
  bar,
  most,
  currency,
}: {
  label: string;
  rows: readonly Row[];
  bar: string | undefined;
  most: number;
  currency: string;
}) {
  const columns: Column<Row>[] = [
    {
      title: 'Customer',
      isName: true,
      cell: ({ customer, difference }) => (
        <>
          <CustomerLink customer={customer} />
          <span
            className={bar}
            style={{ width: `${share(String(Math.abs(difference)), String(most)) * 100}%` }}
          />
        </>
      ),
    },
    {
      title: 'Difference',
      isNumber: true,
      cell: ({ difference }) => signed(difference, currency),
    },
    {
      title: 'Was billed',
      isNumber: true,
      isMinor: true,
      cell: ({ currentAmount }) => <Money amount={currentAmount} currency={currency} />,
    },
    {
      title: 'At these prices',
      isNumber: true,
      cell: ({ amount }) => <Money amount={amount} currency={currency} />,
    },
  ];
  return (
    <Table
      label={label}
      columns={columns}
      rows={rows}
      keyOf={({ customer }) => customer.id}
      empty={<Empty title="Nobody">The largest 25 differences would be here.</Empty>}
    />
  );
}

function signed(amount: number, currency: string): string {
  return `${amount > 0 ? '+' : ''}${formatMoney(amount, currency)}`;
}
