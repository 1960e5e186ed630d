import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type Decimal, sign, subtract } from '../../format/decimals';
import { formatMoney } from '../../format/money';
import { formatDate } from '../../format/time';
import { Money, Quantity } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { useZone } from '../../ui/zone';
import { type Charge, type ComparedCharge, comparedCharges } from './comparison';

const InvoiceBefore = graphql(`
  query InvoiceBefore($id: ID!, $subscriptionId: ID!, $issuedBefore: DateTime!) {
    invoice(id: $id) {
      id
      total
      currency
      lines {
        kind
        description
        billableUnits
        amount
        price {
          id
        }
      }
    }
    invoices(
      first: 1
      subscriptionId: $subscriptionId
      issuedBefore: $issuedBefore
      order: NEWEST
    ) {
      nodes {
        id
        number
        issuedAt
        total
        lines {
          kind
          description
          billableUnits
          amount
          price {
            id
          }
        }
      }
    }
  }
`);

/** Why an invoice is higher or lower than the one before it of the same subscription. */
export function InvoiceComparison({
  id,
  subscriptionId,
  issuedAt,
}: {
  id: string;
  subscriptionId: string;
  issuedAt: string;
}) {
  const zone = useZone();
  const [{ data }] = useQuery({
    query: InvoiceBefore,
    variables: { id, subscriptionId, issuedBefore: issuedAt },
  });
  const invoice = data?.invoice;
  const before = data?.invoices.nodes[0];
  if (!invoice || before === undefined) {
    return null;
  }
  const { currency } = invoice;
  return (
    <div className="screen-only">
      <Card
        title={`${difference(before.total, invoice.total, currency)} the previous invoice`}
        tools={
          <Link to="/invoices/$id" params={{ id: before.id }}>
            Invoice {before.number}, {formatDate(before.issuedAt, zone)}
          </Link>
        }
        flush
      >
        <Table
          label="Compared with the previous invoice"
          columns={columnsIn(currency)}
          rows={comparedCharges(before.lines, invoice.lines)}
          keyOf={({ key }) => key}
        />
      </Card>
    </div>
  );
}

function difference(before: number, now: number, currency: string): string {
  const change = subtract(String(now), String(before));
  if (sign(change) === 0) {
    return 'The same as';
  }
  const size = formatMoney(change.replace('-', ''), currency);
  return `${size} ${sign(change) > 0 ? 'more' : 'less'} than`;
}

function columnsIn(currency: string): Column<ComparedCharge>[] {
  const units = (charge: Charge | null) =>
    charge?.units == null ? null : <Quantity value={charge.units} />;
  const money = (amount: Decimal) => <Money amount={amount} currency={currency} />;
  return [
    {
      title: 'Description',
      isName: true,
      cell: ({ description }) => <bdi>{description}</bdi>,
    },
    {
      title: 'Billable before',
      isNumber: true,
      isMinor: true,
      cell: ({ before }) => units(before),
    },
    { title: 'Billable', isNumber: true, isMinor: true, cell: ({ now }) => units(now) },
    {
      title: 'Amount before',
      isNumber: true,
      isMinor: true,
      cell: ({ before }) => before && money(before.amount),
    },
    { title: 'Amount', isNumber: true, cell: ({ now }) => now && money(now.amount) },
    {
      title: 'Difference',
      isNumber: true,
      cell: ({ before, now }) => {
        const change = subtract(now?.amount ?? '0', before?.amount ?? '0');
        return sign(change) > 0 ? <>+{money(change)}</> : money(change);
      },
    },
  ];
}
