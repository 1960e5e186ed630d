/** What the overview shows of billing, for tokens that may read it. */
import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { problemOf } from '../../api/problems';
import { buttonClass } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Card } from '../../ui/Surface';
import { Table } from '../../ui/Table';
import { customerName } from '../customers/CustomerName';
import { invoiceColumns } from '../invoices/InvoiceCells';

const LatestInvoicesDocument = graphql(`
  query LatestInvoices {
    invoices(first: 5, order: NEWEST) {
      nodes {
        id
        ...InvoiceCells_invoice
      }
    }
  }
`);

const INVOICES = invoiceColumns({ withCustomer: true });

export function LatestInvoices() {
  const [{ data, error }, again] = useQuery({ query: LatestInvoicesDocument });
  return (
    <Card title="Latest invoices" flush tools={<Link to="/invoices">All invoices</Link>}>
      {error && data === undefined ? (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
          inset
        />
      ) : (
        <Table
          label="Latest invoices"
          columns={INVOICES}
          rows={data?.invoices.nodes ?? []}
          keyOf={({ id }) => id}
          loading={data === undefined}
          empty={
            <Empty title="No invoices yet">
              The first one is created when a subscription with a fixed price begins, or when a
              period ends.
            </Empty>
          }
        />
      )}
    </Card>
  );
}

const WithheldDocument = graphql(`
  query Withheld {
    subscriptions(last: 100, status: ACTIVE) {
      nodes {
        id
        invoicingProblem
        customer {
          id
          ...CustomerName_customer
        }
        product {
          id
          name
        }
      }
    }
  }
`);

/** Subscriptions, of the latest hundred, whose invoices are withheld. */
export function Withheld() {
  const [{ data }] = useQuery({ query: WithheldDocument });
  return data?.subscriptions.nodes
    .filter(({ invoicingProblem }) => invoicingProblem)
    .map(({ id, invoicingProblem, customer, product }) => (
      <ErrorPanel
        key={id}
        problem={{
          kind: 'refused',
          title: `${customerName(customer)}: ${product.name} cannot be invoiced`,
          advice: invoicingProblem ?? '',
        }}
        action={
          <Link to="/subscriptions/$id" params={{ id }} className={buttonClass({ small: true })}>
            Show subscription
          </Link>
        }
      />
    ));
}
