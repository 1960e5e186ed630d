import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Money, Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';
import { CustomerLink } from '../customers/CustomerName';
import { InvoiceStatus } from './InvoiceStatus';

export const InvoiceCells_invoice = graphql(`
  fragment InvoiceCells_invoice on Invoice {
    id
    number
    currency
    total
    issuedAt
    ...InvoiceStatus_invoice
    customer {
      id
      ...CustomerName_customer
    }
  }
`);

export type InvoiceRow = { id: string } & FragmentType<typeof InvoiceCells_invoice>;

export function invoiceColumns({ withCustomer }: { withCustomer: boolean }): Column<InvoiceRow>[] {
  const columns: Column<InvoiceRow>[] = [
    {
      title: 'Number',
      nowrap: true,
      cell: (row) => {
        const { id, number } = readFragment(InvoiceCells_invoice, row);
        return (
          <Link to="/invoices/$id" params={{ id }}>
            {number || 'Draft'}
          </Link>
        );
      },
    },
    {
      title: 'Customer',
      isName: true,
      cell: (row) => <CustomerLink customer={readFragment(InvoiceCells_invoice, row).customer} />,
    },
    {
      title: 'Status',
      nowrap: true,
      cell: (row) => <InvoiceStatus invoice={readFragment(InvoiceCells_invoice, row)} />,
    },
    {
      title: 'Issued',
      // On a phone there is no room for it beside the customer.
      isMinor: withCustomer,
      nowrap: true,
      cell: (row) => <Time at={readFragment(InvoiceCells_invoice, row).issuedAt} day />,
    },
    {
      title: 'Total',
      isNumber: true,
      cell: (row) => {
        const { total, currency } = readFragment(InvoiceCells_invoice, row);
        return <Money amount={total} currency={currency} />;
      },
    },
  ];
  return withCustomer ? columns : columns.filter(({ title }) => title !== 'Customer');
}
