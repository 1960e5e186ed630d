import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Button, buttonClass } from '../../ui/Button';
import { showToast } from '../../ui/Toast';
import { IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';
import { customerName } from './CustomerName';

const CustomerDialog = lazy(async () => ({
  default: (await import('./CustomerDialog')).CustomerDialog,
}));
const CreditDialog = lazy(async () => ({ default: (await import('./CreditDialog')).CreditDialog }));
const EraseDialog = lazy(async () => ({ default: (await import('./EraseDialog')).EraseDialog }));
const PortalLinkDialog = lazy(async () => ({
  default: (await import('./PortalLinkDialog')).PortalLinkDialog,
}));

export const CustomerActions_customer = graphql(`
  fragment CustomerActions_customer on Customer {
    id
    name
    externalId
    email
    ...CustomerName_customer
  }
`);

const SessionsRevoke = graphql(`
  mutation SessionsRevoke($input: CustomerSessionRevokeInput!) {
    customerSessionRevoke(input: $input) {
      revoked
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** What can be done with a customer. */
export function CustomerActions({
  customer: of,
  onChanged,
}: {
  customer: FragmentType<typeof CustomerActions_customer>;
  /** Its credit is another. */
  onChanged(): void;
}) {
  const customer = readFragment(CustomerActions_customer, of);
  const [open, setOpen] = useState<'edit' | 'credit' | 'link' | 'revoke' | 'erase' | null>(null);
  const { id } = customer;
  const name = customerName(customer);
  const close = () => setOpen(null);
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Link to="/subscriptions/new" search={{ customer: id }} className={buttonClass()}>
        Subscribe
      </Link>
      <Button onClick={() => setOpen('credit')}>Credit units</Button>
      <Button onClick={() => setOpen('link')}>Portal link</Button>
      <Button onClick={() => setOpen('edit')}>Edit</Button>
      <Button look="quiet" onClick={() => setOpen('revoke')}>
        End sessions
      </Button>
      <IfAllowed scope="ADMIN">
        <Button look="quiet" onClick={() => setOpen('erase')}>
          Erase
        </Button>
      </IfAllowed>
      <Suspense>
        {open === 'edit' && (
          <CustomerDialog
            customer={customer}
            onSaved={(saved) => showToast(`${saved.name} is saved.`)}
            onClose={close}
          />
        )}
        {open === 'credit' && (
          <CreditDialog customerId={id} customerName={name} onDone={onChanged} onClose={close} />
        )}
        {open === 'link' && (
          <PortalLinkDialog customerId={id} customerName={name} onClose={close} />
        )}
        {open === 'erase' && (
          <EraseDialog customer={customer} onErased={onChanged} onClose={close} />
        )}
      </Suspense>
      {open === 'revoke' && (
        <Confirm
          title={`End all portal sessions of ${name}?`}
          action="End sessions"
          mutation={SessionsRevoke}
          input={{ customerId: id }}
          answer={(data) => data.customerSessionRevoke}
          onDone={({ customerSessionRevoke: { revoked } }) =>
            showToast(revoked === 1 ? 'One session is ended.' : `${revoked} sessions are ended.`)
          }
          onClose={close}
        >
          <p>
            Links to the customer’s portal stop working, and anyone signed in there is signed out
            within seconds. You can create new links.
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
