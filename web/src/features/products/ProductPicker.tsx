import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';
import { useSearchText } from '../listing/useSearchText';
import { priceSummary } from './PriceText';

const ProductChoices = graphql(`
  query ProductChoices($query: String, $includeArchived: Boolean!) {
    products(first: 25, query: $query, includeArchived: $includeArchived) {
      nodes {
        id
        name
        recurringInterval
        intervalCount
        prices {
          id
          ...PriceSummary_price
        }
      }
    }
  }
`);

/** A product, found by a part of its name. */
export function ProductPicker({
  includeArchived = false,
  ...props
}: {
  label: string;
  name: string;
  hideLabel?: boolean;
  includeArchived?: boolean;
  error?: string | undefined;
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
}) {
  const { query, isTyping, onSearch } = useSearchText();
  const [{ data, fetching }] = useQuery({
    query: ProductChoices,
    variables: { query, includeArchived },
  });
  return (
    <Picker
      {...props}
      choices={(data?.products.nodes ?? []).map(({ id, name, prices, ...product }) => ({
        key: id,
        title: name,
        detail: prices.map((price) => priceSummary(price, product)).join('; '),
      }))}
      onSearch={onSearch}
      isSearching={fetching || isTyping}
      nothing="No product matches"
    />
  );
}
