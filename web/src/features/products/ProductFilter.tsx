import { lazy } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type FilterPickerProps, PickedFilter } from '../listing/PickedFilter';

const AnyProductPicker = lazy(async () => {
  const { ProductPicker } = await import('./ProductPicker');
  return {
    default: (props: FilterPickerProps) => <ProductPicker {...props} includeArchived />,
  };
});

const FilteredProduct = graphql(`
  query FilteredProduct($id: ID!) {
    product(id: $id) {
      id
      name
    }
  }
`);

function useProductName(id: string): string | undefined {
  const [{ data }] = useQuery({ query: FilteredProduct, variables: { id } });
  return data?.product?.name;
}

/** The product of what a page lists, in the address as `product`. */
export function ProductFilter() {
  return (
    <PickedFilter
      filter="product"
      what="product"
      picker={AnyProductPicker}
      useName={useProductName}
    />
  );
}
