import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { CancelWhen } from '../../api/generated/graphql';
import { formatInstant } from '../../format/time';
import { showToast } from '../../ui/Toast';
import { useZone } from '../../ui/zone';
import { DialogForm } from '../forms/Form';
import { CheckInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import type { LiveSubscription } from './SubscriptionActions';

const SubscriptionCancel = graphql(`
  mutation SubscriptionCancel($input: CustomerSubscriptionCancelInput!) {
    customerSubscriptionCancel(input: $input) {
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

export function CancelDialog({
  subscription: { id, title, status, currentPeriodEnd, cancelAtPeriodEnd, pendingChange },
  onDone,
  onClose,
}: {
  subscription: LiveSubscription;
  onDone(): void;
  onClose(): void;
}) {
  const zone = useZone();
  const end = formatInstant(currentPeriodEnd, zone);
  const hasChoice = status !== 'SCHEDULED' && !cancelAtPeriodEnd;
  const isTrial = status === 'TRIALING';
  const form = useForm<{ when: CancelWhen; prorate: boolean }>({
    defaultValues: { when: hasChoice ? 'PERIOD_END' : 'NOW', prorate: false },
  });
  const when = useWatch({ control: form.control, name: 'when' });
  const isNow = when === 'NOW';
  const submission = useSubmission({
    form,
    mutation: SubscriptionCancel,
    input: (values, idempotencyKey) => ({
      id,
      when: values.when,
      prorate: values.when === 'NOW' && values.prorate,
      idempotencyKey,
    }),
    answer: (data) => data.customerSubscriptionCancel,
    onDone: (_data, values) => {
      showToast(values.when === 'NOW' ? `${title} has ended.` : `${title} ends ${end}.`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={cancelAtPeriodEnd ? `End ${title} now?` : `Cancel ${title}?`}
      form={form}
      submission={submission}
      action={isNow ? 'End subscription now' : 'Schedule cancellation'}
      cancel="Keep subscription"
      onCancel={onClose}
      isDanger
      isQuestion
    >
      {hasChoice && (
        <RadioInput
          name="when"
          label="When it ends"
          options={[
            {
              value: 'PERIOD_END',
              label: `When the ${isTrial ? 'trial' : 'period'} ends, ${end}`,
              about: isTrial
                ? 'Nothing changes before, and nothing is ever charged.'
                : 'Nothing changes before. The last invoice bills the usage until then.',
            },
            { value: 'NOW', label: 'Now', about: endingNow(status) },
          ]}
        />
      )}
      {!hasChoice && <p>{endingNow(status)}</p>}
      {isNow && status === 'ACTIVE' && (
        <CheckInput
          name="prorate"
          label="Give back the fixed prices for the rest of the period"
          hint="They come off the last invoice. If its total is negative, the customer’s other invoices use it up."
        />
      )}
      <p>
        {isNow
          ? 'This cannot be undone. To go on later, subscribe the customer again.'
          : `Until then, you can resume the subscription.${pendingChange ? ' The scheduled change is dropped.' : ''}`}
      </p>
    </DialogForm>
  );
}

function endingNow(status: LiveSubscription['status']): string {
  switch (status) {
    case 'SCHEDULED':
      return 'It has not started, so nothing was charged.';
    case 'TRIALING':
      return 'Its trial ends, and nothing is ever charged.';
    default:
      return 'Its usage until now is invoiced, and credit that does not carry over expires.';
  }
}
