import { graphql } from '../../api/generated';
import type { InvoiceStatus as Status } from '../../api/generated/graphql';
import { boundsOf, daysRange } from '../../format/ranges';
import { Empty } from '../../ui/Empty';
import { ToolSelect } from '../../ui/Field';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { useZone } from '../../ui/zone';
import { CustomerFilter } from '../customers/CustomerFilter';
import { DaysFilter } from '../listing/DaysFilter';
import { useFilters } from '../listing/filters';
import { ListTable } from '../listing/ListTable';
import { OrderSelect } from '../listing/OrderSelect';
import { PAGE, useList } from '../listing/useList';
import { invoiceColumns } from './InvoiceCells';
import { STATUS_NAMES } from './InvoiceStatus';

const Invoices = graphql(`
  query Invoices(
    $after: String
    $first: Int!
    $order: ListOrder!
    $customerId: ID
    $status: InvoiceStatus
    $issuedAfter: DateTime
    $issuedBefore: DateTime
  ) {
    invoices(
      first: $first
      after: $after
      order: $order
      customerId: $customerId
      status: $status
      issuedAfter: $issuedAfter
      issuedBefore: $issuedBefore
    ) {
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

const STATUSES = [
  { value: '', label: 'Any status' },
  ...Object.entries(STATUS_NAMES).map(([value, label]) => ({ value, label })),
];

const COLUMNS = invoiceColumns({ withCustomer: true });

export function InvoicesPage() {
  const zone = useZone();
  const [{ customer, order, status: named, from = '', to = '' }, change] = useFilters();
  const status = named && named in STATUS_NAMES ? (named as Status) : null;
  const range = daysRange(from, to);
  const days = range && boundsOf(range, zone, 0);
  const isFiltered = Boolean(customer || status || from || to);
  const list = useList({
    query: Invoices,
    variables: {
      first: PAGE,
      order: order === 'OLDEST' ? 'OLDEST' : 'NEWEST',
      customerId: customer ?? null,
      status,
      issuedAfter: days?.start ?? null,
      issuedBefore: days?.end ?? null,
    },
    connection: (data) => data.invoices,
  });
  return (
    <Stack>
      <PageHead
        title="Invoices"
        about="Created automatically when a period ends. An issued invoice never changes."
      />
      <Card
        title={isFiltered ? 'Matching invoices' : 'All invoices'}
        flush
        tools={
          <>
            <CustomerFilter />
            <ToolSelect
              label="Status"
              value={status ?? ''}
              options={STATUSES}
              onChange={(next) => change({ status: next })}
            />
            <DaysFilter />
            <OrderSelect order={order} onChange={(next) => change({ order: next })} />
          </>
        }
      >
        <ListTable
          label="Invoices"
          list={list}
          columns={COLUMNS}
          empty={
            isFiltered ? (
              <Empty title="No invoice matches">
                Choose other days, any status, or all customers.
              </Empty>
            ) : (
              <Empty title="No invoices yet">
                The first one is created when a subscription with a fixed price begins, or when a
                period ends.
              </Empty>
            )
          }
        />
      </Card>
    </Stack>
  );
}
