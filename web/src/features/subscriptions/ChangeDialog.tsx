import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { CancelWhen, CustomerSubscriptionChangeInput } from '../../api/generated/graphql';
import { formatInstant } from '../../format/time';
import type { Choice } from '../../ui/aria/Picker';
import { showToast } from '../../ui/Toast';
import { useZone } from '../../ui/zone';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { Row, TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { readWhole, wholeInput } from '../forms/whole';
import { ProductPicker } from '../products/ProductPicker';
import { ChangePreview } from './ChangePreview';
import type { LiveSubscription } from './SubscriptionActions';

const SubscriptionChange = graphql(`
  mutation SubscriptionChange($input: CustomerSubscriptionChangeInput!) {
    customerSubscriptionChange(input: $input) {
      subscription {
        id
        ...SubscriptionCells_subscription
      }
      invoice {
        id
        number
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

interface Values {
  productId: Choice | null;
  quantity: string;
  when: CancelWhen;
}

/** Asks for another product or quantity, and shows what the change makes before it is made. */
export function ChangeDialog({
  subscription: { id, title, product, quantity, status, ...subscription },
  onDone,
  onClose,
}: {
  subscription: LiveSubscription;
  onDone(): void;
  onClose(): void;
}) {
  const zone = useZone();
  const end = formatInstant(subscription.currentPeriodEnd, zone);
  const form = useForm<Values>({
    defaultValues: {
      productId: { key: product.id, title: product.name },
      quantity: String(quantity),
      when: 'NOW',
    },
  });
  const [chosen, written, when] = useWatch({
    control: form.control,
    name: ['productId', 'quantity', 'when'],
  });
  const asked = readWhole(written);
  const isAnother = chosen !== null && (chosen.key !== product.id || asked !== quantity);
  const isScheduled = status === 'SCHEDULED';
  const submission = useSubmission({
    form,
    mutation: SubscriptionChange,
    input: (values, idempotencyKey, refuse): CustomerSubscriptionChangeInput => {
      if (values.productId === null) {
        refuse('productId', 'Choose a product.');
      }
      return {
        id,
        productId: values.productId?.key ?? '',
        quantity: wholeInput(values.quantity, 'quantity', refuse),
        when: values.when,
        idempotencyKey,
      };
    },
    answer: (data) => data.customerSubscriptionChange,
    onDone: ({ customerSubscriptionChange: { invoice } }, values) => {
      if (values.when === 'PERIOD_END') {
        showToast(`${title} changes ${end}.`);
      } else {
        const issued = invoice?.number ? ` Invoice ${invoice.number} is issued.` : '';
        showToast(`${title} has changed.${issued}`);
      }
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Change ${title}`}
      form={form}
      submission={submission}
      action={actionOf(when, isScheduled)}
      onCancel={onClose}
      isWide
    >
      <Row>
        <Chosen as={ProductPicker} name="productId" label="Product" />
        <TextInput
          name="quantity"
          label="Quantity"
          inputMode="numeric"
          autoComplete="off"
          hint="Multiplies the fixed prices."
        />
      </Row>
      {!isScheduled && !subscription.cancelAtPeriodEnd && (
        <RadioInput
          name="when"
          label="When it changes"
          options={[
            {
              value: 'NOW',
              label: 'Now',
              about:
                status === 'TRIALING'
                  ? 'The trial goes on, and ends when it would have.'
                  : 'Usage until now is billed at the old prices. Fixed prices and credit are exchanged for the rest of the period.',
            },
            {
              value: 'PERIOD_END',
              label: `When the ${status === 'TRIALING' ? 'trial' : 'period'} ends, ${end}`,
              about: 'Nothing changes before, and the change can be undone until then.',
            },
          ]}
        />
      )}
      {subscription.pendingChange && <p>This replaces the change that is scheduled.</p>}
      {isAnother && asked !== null ? (
        <ChangePreview
          input={{ id, productId: chosen.key, quantity: asked, when }}
          isScheduled={isScheduled}
          trialEndsAt={subscription.trialEndsAt}
        />
      ) : (
        <p>Choose another product or quantity to see what the change costs.</p>
      )}
    </DialogForm>
  );
}

function actionOf(when: CancelWhen, isScheduled: boolean): string {
  if (isScheduled) {
    return 'Change subscription';
  }
  return when === 'NOW' ? 'Change now' : 'Schedule change';
}
