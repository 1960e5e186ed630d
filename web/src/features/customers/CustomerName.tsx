import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';

export const CustomerName_customer = graphql(`
  fragment CustomerName_customer on Customer {
    id
    name
    externalId
  }
`);

/** What a customer is called: its name, else your id of it. */
export function customerName(of: FragmentType<typeof CustomerName_customer>): string {
  const { name, externalId } = readFragment(CustomerName_customer, of);
  return name ?? externalId ?? 'Unnamed customer';
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
