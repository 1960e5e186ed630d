import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Button, buttonClass } from '../../ui/Button';
import { showToast } from '../../ui/Toast';
import { IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';

export const ProductActions_product = graphql(`
  fragment ProductActions_product on Product {
    id
    name
    archivedAt
  }
`);

const ProductArchive = graphql(`
  mutation ProductArchive($input: ProductArchiveInput!) {
    productArchive(input: $input) {
      product {
        id
        archivedAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** What can be done with a product. */
export function ProductActions({
  product,
}: {
  product: FragmentType<typeof ProductActions_product>;
}) {
  const { id, name, archivedAt } = readFragment(ProductActions_product, product);
  const [isAsking, setAsking] = useState(false);
  return (
    <IfAllowed scope="BILLING_WRITE">
      {!archivedAt && (
        <Link
          to="/subscriptions/new"
          search={{ product: id }}
          className={buttonClass({ look: 'primary' })}
        >
          Subscribe a customer
        </Link>
      )}
      <Link to="/products/$id/simulate" params={{ id }} className={buttonClass()}>
        Simulate prices
      </Link>
      <Link to="/products/$id/edit" params={{ id }} className={buttonClass()}>
        Edit
      </Link>
      {!archivedAt && <Button onClick={() => setAsking(true)}>Archive</Button>}
      {isAsking && (
        <Confirm
          title={`Archive ${name}?`}
          action="Archive product"
          mutation={ProductArchive}
          input={{ id }}
          answer={(data) => data.productArchive}
          onDone={() => showToast(`${name} is archived.`)}
          onClose={() => setAsking(false)}
        >
          <p>
            Customers can no longer subscribe to it. Existing subscriptions continue and are
            invoiced as before. This cannot be undone.
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
