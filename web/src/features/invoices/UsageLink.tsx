import { Link } from '@tanstack/react-router';
import { exactRange } from '../../format/ranges';
import type { LineUsage } from './InvoiceLines';

/** Leads from a line of an invoice to what the meter counted of the customer in its period. */
export function UsageLink({
  usage: { meterId, periodStart, periodEnd },
  customerId,
}: {
  usage: LineUsage;
  customerId: string;
}) {
  return (
    <div className="screen-only">
      <Link
        to="/meters/$id"
        params={{ id: meterId }}
        search={{ customer: customerId, range: exactRange(periodStart, periodEnd) }}
      >
        Show usage
      </Link>
    </div>
  );
}
