import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { showToast } from '../../ui/Toast';
import { NOT_A_NUMBER, readDecimal, toWholeMinor } from '../forms/amounts';
import { DialogForm } from '../forms/Form';
import { Row, TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';
import type { LiveSubscription } from './SubscriptionActions';

const SubscriptionDiscountSet = graphql(`
  mutation SubscriptionDiscountSet($input: SubscriptionDiscountSetInput!) {
    subscriptionDiscountSet(input: $input) {
      subscription {
        id
        discount {
          percentOff
          amountOff
          periodsLeft
        }
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
  kind: 'PERCENT' | 'AMOUNT' | 'NONE';
  percentOff: string;
  amountOff: string;
  periods: string;
}

/** Asks what is taken off the invoices of a subscription. */
export function DiscountDialog({
  subscription: { id, title, currency, discount },
  onDone,
  onClose,
}: {
  subscription: LiveSubscription;
  onDone(): void;
  onClose(): void;
}) {
  const form = useForm<Values>({
    defaultValues: {
      kind: discount?.amountOff == null ? 'PERCENT' : 'AMOUNT',
      percentOff: '',
      amountOff: '',
      periods: '',
    },
  });
  const kind = useWatch({ control: form.control, name: 'kind' });
  const submission = useSubmission({
    form,
    mutation: SubscriptionDiscountSet,
    input: (values, _key, refuse) => {
      if (values.kind === 'NONE') {
        return { id };
      }
      const periods = wholeInput(values.periods, 'periods', refuse);
      if (values.kind === 'PERCENT') {
        const percentOff = readDecimal(values.percentOff);
        if (percentOff === null) {
          refuse('percentOff', NOT_A_NUMBER);
        }
        return { id, percentOff, periods };
      }
      const amount = toWholeMinor(values.amountOff, currency);
      if ('problem' in amount) {
        refuse('amountOff', amount.problem);
        return { id, periods };
      }
      return { id, amountOff: amount.amount, periods };
    },
    answer: (data) => data.subscriptionDiscountSet,
    onDone: (_data, values) => {
      showToast(`${title} ${values.kind === 'NONE' ? 'has no discount.' : 'has a discount.'}`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Discount for ${title}`}
      form={form}
      submission={submission}
      action={kind === 'NONE' ? 'Remove discount' : 'Set discount'}
      onCancel={onClose}
    >
      <RadioInput
        name="kind"
        label="What is taken off"
        options={[
          { value: 'PERCENT', label: 'A percentage', about: 'Off everything that is invoiced.' },
          {
            value: 'AMOUNT',
            label: 'An amount',
            about: 'Off the invoice of each period, at most all of it.',
          },
          ...(discount ? [{ value: 'NONE', label: 'No discount' }] : []),
        ]}
      />
      {kind !== 'NONE' && (
        <Row>
          {kind === 'PERCENT' ? (
            <TextInput
              name="percentOff"
              label="Percent off"
              inputMode="decimal"
              autoComplete="off"
              placeholder="20"
            />
          ) : (
            <TextInput
              name="amountOff"
              label={`Amount off, ${currency}`}
              inputMode="decimal"
              autoComplete="off"
              placeholder="10.00"
            />
          )}
          <TextInput
            name="periods"
            label="For how many periods (optional)"
            hint="The invoice at the end of the current period is the first."
            inputMode="numeric"
            autoComplete="off"
            placeholder="Forever"
          />
        </Row>
      )}
    </DialogForm>
  );
}
