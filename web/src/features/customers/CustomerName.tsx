import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';

export const CustomerName_customer = graphql(`
  fragment CustomerName_customer on Customer {
    id
    name
    externalId
    erasedAt
  }
`);

/** What a customer is called: its name, else your id of it; an erased one has neither. */
export function customerName(of: FragmentType<typeof CustomerName_customer>): string {
  const { name, externalId, erasedAt } = readFragment(CustomerName_customer, of);
  return name ?? externalId ?? (erasedAt ? 'Erased customer' : 'Unnamed customer');
}

export function CustomerLink({
  customer,
}: {
  customer: FragmentType<typeof CustomerName_customer>;
}) {
  const { id } = readFragment(CustomerName_customer, customer);
  return (
    <Link to="/customers/$id" params={{ id }}>
      <bdi>{customerName(customer)}</bdi>
    </Link>
  );
}
