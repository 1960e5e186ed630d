import { useQuery } from 'urql';
import { graphql, readFragment } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';
import { useSearchText } from '../listing/useSearchText';
import { CustomerName_customer, customerName } from './CustomerName';

const CustomerChoices = graphql(`
  query CustomerChoices($query: String) {
    customers(last: 20, query: $query) {
      nodes {
        id
        email
        ...CustomerName_customer
      }
    }
  }
`);

/** A customer, found by a part of its name, email or external id. */
export function CustomerPicker(props: {
  label: string;
  name: string;
  placeholder?: string;
  hideLabel?: boolean;
  error?: string | undefined;
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
}) {
  const { query, isTyping, onSearch } = useSearchText();
  const [{ data, fetching }] = useQuery({ query: CustomerChoices, variables: { query } });
  return (
    <Picker
      placeholder="Name, email or ID"
      {...props}
      choices={[...(data?.customers.nodes ?? [])].reverse().map((customer) => {
        const { externalId, name } = readFragment(CustomerName_customer, customer);
        const detail = [name ? externalId : null, customer.email].filter(Boolean).join(' · ');
        return {
          key: customer.id,
          title: customerName(customer),
          ...(detail && { detail }),
        };
      })}
      onSearch={onSearch}
      isSearching={fetching || isTyping}
      nothing="No customer matches"
    />
  );
}
