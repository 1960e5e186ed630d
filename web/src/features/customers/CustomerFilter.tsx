import { lazy, Suspense, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { useFilters } from '../listing/filters';
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

/** Whose a page shows, in the address as `customer`; its choices load when it is opened. */
export function CustomerFilter() {
  const [{ customer: id }, change] = useFilters();
  const [isChoosing, setChoosing] = useState(false);
  if (id) {
    return <Chosen id={id} onClear={() => change({ customer: undefined })} />;
  }
  if (!isChoosing) {
    return (
      <Button small onClick={() => setChoosing(true)}>
        By customer
      </Button>
    );
  }
  return (
    <Suspense>
      <CustomerPicker
        label="Customer"
        name="customer"
        placeholder="Name, email or ID"
        hideLabel
        chosen={null}
        onChoose={(choice) => {
          setChoosing(false);
          change({ customer: choice?.key });
        }}
      />
    </Suspense>
  );
}

function Chosen({ id, onClear }: { id: string; onClear(): void }) {
  const [{ data }] = useQuery({ query: FilteredCustomer, variables: { id } });
  const name = data?.customer ? customerName(data.customer) : 'One customer';
  return (
    <Button small onClick={onClear} aria-label={`Show all customers, not only ${name}`}>
      <bdi>{name}</bdi>
      <Icon name="close" size={12} />
    </Button>
  );
}
