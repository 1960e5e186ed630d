/** What can be done with a subscription that has not ended. Each asks before it does anything. */
import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../api/generated';
import type { CustomerSubscriptionStatus } from '../../api/generated/graphql';
import type { Discount } from '../../format/discounts';
import { formatInstant } from '../../format/time';
import { Button } from '../../ui/Button';
import { showToast } from '../../ui/Toast';
import { useZone } from '../../ui/zone';
import { IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';

const CancelDialog = lazy(async () => ({ default: (await import('./CancelDialog')).CancelDialog }));
const ChangeDialog = lazy(async () => ({ default: (await import('./ChangeDialog')).ChangeDialog }));

const DiscountDialog = lazy(async () => ({
  default: (await import('./DiscountDialog')).DiscountDialog,
}));

const SubscriptionResume = graphql(`
  mutation SubscriptionResume($input: CustomerSubscriptionResumeInput!) {
    customerSubscriptionResume(input: $input) {
      subscription {
        id
        ...SubscriptionCells_subscription
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const SubscriptionChangeCancel = graphql(`
  mutation SubscriptionChangeCancel($input: CustomerSubscriptionChangeCancelInput!) {
    customerSubscriptionChangeCancel(input: $input) {
      subscription {
        id
        ...SubscriptionCells_subscription
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export interface LiveSubscription {
  id: string;
  /** Whose subscription to what. */
  title: string;
  status: CustomerSubscriptionStatus;
  product: { id: string; name: string };
  quantity: number;
  currentPeriodEnd: string;
  trialEndsAt?: string | null | undefined;
  cancelAtPeriodEnd: boolean;
  pendingChange?: object | null | undefined;
  /** Of its invoices. */
  currency: string;
  discount?: Discount | null | undefined;
}

interface Props {
  subscription: LiveSubscription;
  onDone(): void;
}

export function SubscriptionActions({ subscription, onDone }: Props) {
  const { id, title, status, currentPeriodEnd, cancelAtPeriodEnd } = subscription;
  const zone = useZone();
  const [open, setOpen] = useState<'change' | 'discount' | 'cancel' | 'resume' | null>(null);
  const onClose = () => setOpen(null);
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Button onClick={() => setOpen('change')}>Change</Button>
      <Button onClick={() => setOpen('discount')}>Discount</Button>
      {cancelAtPeriodEnd && <Button onClick={() => setOpen('resume')}>Resume</Button>}
      <Button onClick={() => setOpen('cancel')}>{cancelAtPeriodEnd ? 'End now' : 'Cancel'}</Button>
      <Suspense>
        {open === 'change' && <ChangeDialog {...{ subscription, onDone, onClose }} />}
        {open === 'discount' && <DiscountDialog {...{ subscription, onDone, onClose }} />}
        {open === 'cancel' && <CancelDialog {...{ subscription, onDone, onClose }} />}
      </Suspense>
      {open === 'resume' && (
        <Confirm
          title={`Resume ${title}?`}
          action="Resume"
          isDanger={false}
          mutation={SubscriptionResume}
          input={{ id }}
          answer={(data) => data.customerSubscriptionResume}
          onDone={() => {
            showToast(`${title} goes on.`);
            onDone();
          }}
          onClose={onClose}
        >
          <p>
            It ends {formatInstant(currentPeriodEnd, zone)}. If you resume it,{' '}
            {status === 'TRIALING' ? 'its first paid period begins then.' : 'it renews then.'}
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}

/** Takes back the change that is scheduled. */
export function UndoChange({ subscription: { id, title }, onDone }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="BILLING_WRITE">
      <Button small onClick={() => setOpen(true)}>
        Undo change
      </Button>
      {isOpen && (
        <Confirm
          title="Undo the scheduled change?"
          action="Undo change"
          isDanger={false}
          mutation={SubscriptionChangeCancel}
          input={{ id }}
          answer={(data) => data.customerSubscriptionChangeCancel}
          onDone={() => {
            showToast(`${title} stays as it is.`);
            onDone();
          }}
          onClose={() => setOpen(false)}
        >
          <p>The subscription renews with the product and the quantity that it has now.</p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
