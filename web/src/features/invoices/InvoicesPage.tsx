import { graphql } from '../../api/generated';
import { Empty } from '../../ui/Empty';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { ListTable } from '../listing/ListTable';
import { PAGE, useList } from '../listing/useList';
import { invoiceColumns } from './InvoiceCells';

const Invoices = graphql(`
  query Invoices($after: String, $first: Int!) {
    invoices(first: $first, after: $after, order: NEWEST) {
      nodes {
        id
        ...InvoiceCells_invoice
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const COLUMNS = invoiceColumns({ withCustomer: true });

export function InvoicesPage() {
  const list = useList({
    query: Invoices,
    variables: { first: PAGE },
    connection: (data) => data.invoices,
  });
  return (
    <Stack>
      <PageHead
        title="Invoices"
        about="Made by themselves when a period ends. They never change."
      />
      <Card title="Newest first" flush>
        <ListTable
          label="Invoices"
          list={list}
          columns={COLUMNS}
          empty={
            <Empty title="No invoices yet">
              The first is made when a subscription with a fixed price begins, or a period ends.
            </Empty>
          }
        />
      </Card>
    </Stack>
  );
}
