import { lazy } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { PickedFilter } from '../listing/PickedFilter';
import { customerName } from './CustomerName';

const CustomerPicker = lazy(() =>
  import('./CustomerPicker').then((module) => ({ default: module.CustomerPicker })),
);

const FilteredCustomer = graphql(`
  query FilteredCustomer($id: ID!) {
    customer(id: $id) {
      id
      ...CustomerName_customer
    }
  }
`);

function useCustomerName(id: string): string | undefined {
  const [{ data }] = useQuery({ query: FilteredCustomer, variables: { id } });
  return data?.customer ? customerName(data.customer) : undefined;
}

/** Whose a page shows, in the address as `customer`. */
export function CustomerFilter() {
  return (
    <PickedFilter
      filter="customer"
      what="customer"
      picker={CustomerPicker}
      useName={useCustomerName}
    />
  );
}
