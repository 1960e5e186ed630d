import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card } from '../../ui/Surface';
import { CustomerBalances } from '../invoices/CustomerBalances';
import { invoiceColumns } from '../invoices/InvoiceCells';
import { ListTable } from '../listing/ListTable';
import { useList } from '../listing/useList';

const CustomerInvoicesDocument = graphql(`
  query CustomerInvoices($id: ID!, $before: String) {
    customer(id: $id) {
      id
      ...CustomerBalances_customer
      invoices(last: 20, before: $before) {
        nodes {
          id
          ...InvoiceCells_invoice
        }
        pageInfo {
          hasPreviousPage
          startCursor
        }
      }
    }
  }
`);

const COLUMNS = invoiceColumns({ withCustomer: false });

export function CustomerInvoices({ id }: { id: string }) {
  const list = useList({
    query: CustomerInvoicesDocument,
    variables: { id },
    connection: (data) => data.customer?.invoices,
    newestFirst: true,
  });
  return (
    <Card title="Invoices" flush>
      {list.data?.customer && <CustomerBalances customer={list.data.customer} />}
      <ListTable
        label="Invoices of the customer"
        list={list}
        columns={COLUMNS}
        empty={
          <Empty title="No invoices yet">
            The first one is created when a subscription with a fixed price begins, or when a period
            ends.
          </Empty>
        }
      />
    </Card>
  );
}
