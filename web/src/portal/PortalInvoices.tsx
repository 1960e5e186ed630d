import { graphql } from '../api/generated';
import type { PortalInvoicesQuery } from '../api/generated/graphql';
import { CustomerBalances } from '../features/invoices/CustomerBalances';
import { InvoiceStatus } from '../features/invoices/InvoiceStatus';
import { ListTable } from '../features/listing/ListTable';
import { useList } from '../features/listing/useList';
import { Empty } from '../ui/Empty';
import { Money, Time } from '../ui/Figures';
import { Card } from '../ui/Surface';
import type { Column } from '../ui/Table';
import { useAgain } from '../ui/useAgain';
import { invoiceAddress } from './address';

const PortalInvoicesDocument = graphql(`
  query PortalInvoices($before: String) {
    viewer {
      id
      ...CustomerBalances_customer
      invoices(last: 12, before: $before) {
        nodes {
          id
          number
          currency
          total
          issuedAt
          ...InvoiceStatus_invoice
        }
        pageInfo {
          hasPreviousPage
          startCursor
        }
      }
    }
  }
`);

type Invoice = NonNullable<PortalInvoicesQuery['viewer']>['invoices']['nodes'][number];

/** All invoices, the newest first; asked for again when usage has `moved`. */
export function PortalInvoices({ moved, onOpen }: { moved: number; onOpen(id: string): void }) {
  const list = useList({
    query: PortalInvoicesDocument,
    variables: {},
    connection: (data) => data.viewer?.invoices,
    newestFirst: true,
  });
  useAgain(list.retry, moved);
  return (
    <Card title="Invoices" flush>
      {list.data?.viewer && <CustomerBalances customer={list.data.viewer} />}
      <ListTable
        label="Invoices"
        list={list}
        columns={invoiceColumns(onOpen)}
        empty={
          <Empty title="No invoices yet">
            Invoices are issued automatically when a period begins or ends.
          </Empty>
        }
      />
    </Card>
  );
}

function invoiceColumns(onOpen: (id: string) => void): Column<Invoice>[] {
  return [
    {
      title: 'Number',
      isName: true,
      cell: ({ id, number }) => (
        <a
          href={invoiceAddress(id)}
          onClick={(event) => {
            if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
              event.preventDefault();
              onOpen(id);
            }
          }}
        >
          {number || 'Draft'}
        </a>
      ),
    },
    { title: 'Status', nowrap: true, cell: (row) => <InvoiceStatus invoice={row} /> },
    { title: 'Issued', nowrap: true, cell: ({ issuedAt }) => <Time at={issuedAt} day /> },
    {
      title: 'Total',
      isNumber: true,
      cell: ({ total, currency }) => <Money amount={total} currency={currency} />,
    },
  ];
}
