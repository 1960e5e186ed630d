import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { CancelWhen } from '../../api/generated/graphql';
import { formatInstant } from '../../format/time';
import { showToast } from '../../ui/Toast';
import { useZone } from '../../ui/zone';
import { DialogForm } from '../forms/Form';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';

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

export interface Cancelable {
  id: string;
  /** Whose subscription to what. */
  title: string;
  currentPeriodEnd: string;
  cancelAtPeriodEnd: boolean;
}

export function CancelDialog({
  subscription: { id, title, currentPeriodEnd, cancelAtPeriodEnd },
  onDone,
  onClose,
}: {
  subscription: Cancelable;
  onDone(): void;
  onClose(): void;
}) {
  const zone = useZone();
  const end = formatInstant(currentPeriodEnd, zone);
  const form = useForm<{ when: CancelWhen }>({
    defaultValues: { when: cancelAtPeriodEnd ? 'NOW' : 'PERIOD_END' },
  });
  const when = useWatch({ control: form.control, name: 'when' });
  const submission = useSubmission({
    form,
    mutation: SubscriptionCancel,
    input: (values, idempotencyKey) => ({ id, when: values.when, idempotencyKey }),
    answer: (data) => data.customerSubscriptionCancel,
    onDone: () => {
      showToast(when === 'NOW' ? `${title} has ended.` : `${title} ends ${end}.`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Cancel ${title}?`}
      form={form}
      submission={submission}
      action={when === 'NOW' ? 'End subscription now' : 'Cancel at period end'}
      cancel="Keep subscription"
      onCancel={onClose}
      isDanger
      isQuestion
    >
      <RadioInput
        name="when"
        label="When it ends"
        options={[
          ...(cancelAtPeriodEnd
            ? []
            : [
                {
                  value: 'PERIOD_END',
                  label: `At the end of the period, ${end}`,
                  about: 'Until then nothing changes. The last invoice bills the usage up to then.',
                },
              ]),
          {
            value: 'NOW',
            label: 'Now',
            about:
              'The period ends now, and its usage is invoiced. Fixed prices that were charged for it are not paid back, and credit that does not carry over expires.',
          },
        ]}
      />
      <p>This cannot be undone. To go on later, subscribe the customer again.</p>
    </DialogForm>
  );
}
