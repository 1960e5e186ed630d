import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql, readFragment } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';
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

/** Nothing is asked for until one stops typing. */
const PAUSE = 200;

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
  const [text, setText] = useState('');
  const [query, setQuery] = useState('');
  useEffect(() => {
    const timer = setTimeout(setQuery, PAUSE, text.trim());
    return () => clearTimeout(timer);
  }, [text]);
  const [{ data, fetching }] = useQuery({
    query: CustomerChoices,
    variables: { query: query || null },
  });
  const isSearching = fetching || query !== text.trim();
  return (
    <Picker
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
      onSearch={setText}
      nothing={isSearching ? 'Searching…' : 'No customer matches'}
    />
  );
}
