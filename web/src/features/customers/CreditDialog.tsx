import { useForm, useWatch } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { subtract } from '../../format/decimals';
import type { Choice } from '../../ui/aria/Picker';
import { Quantity } from '../../ui/Figures';
import { showToast } from '../../ui/Toast';
import { readDecimal } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { AreaInput, TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { MeterPicker } from '../meters/MeterPicker';

const Credit = graphql(`
  mutation Credit($input: CustomerMeterCreditInput!) {
    customerMeterCredit(input: $input) {
      customerMeter {
        ...CustomerUsage
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const BalanceBefore = graphql(`
  query BalanceBefore($customerId: ID!, $meterId: ID!) {
    customer(id: $customerId) {
      id
      meter(id: $meterId) {
        id
        balance
        meter {
          id
          unit
        }
      }
    }
  }
`);

interface Values {
  direction: 'grant' | 'debit';
  meterId: Choice | null;
  units: string;
  reason: string;
}

export function CreditDialog({
  customerId,
  customerName,
  onDone,
  onClose,
}: {
  customerId: string;
  customerName: string;
  onDone(): void;
  onClose(): void;
}) {
  const form = useForm<Values>({
    defaultValues: { direction: 'grant', meterId: null, units: '', reason: '' },
  });
  const [direction, meter] = useWatch({ control: form.control, name: ['direction', 'meterId'] });
  const isDebit = direction === 'debit';
  const submission = useSubmission({
    form,
    mutation: Credit,
    input: ({ meterId, units, reason }, idempotencyKey, refuse) => {
      if (meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      const read = readDecimal(units);
      return {
        customerId,
        meterId: meterId?.key ?? '',
        units: read === null ? units : isDebit ? subtract('0', read) : read,
        reason,
        idempotencyKey,
      };
    },
    answer: (data) => data.customerMeterCredit,
    onDone: () => {
      showToast(isDebit ? 'The units are debited.' : 'The units are credited.');
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Credit for ${customerName}`}
      form={form}
      submission={submission}
      action={isDebit ? 'Debit units' : 'Credit units'}
      onCancel={onClose}
    >
      <RadioInput
        name="direction"
        label="Credit or debit"
        options={[
          {
            value: 'grant',
            label: 'Credit units',
            about: 'Used before anything is charged. Unused units carry over.',
          },
          {
            value: 'debit',
            label: 'Debit units',
            about: 'Takes unused credit away.',
          },
        ]}
      />
      <Chosen as={MeterPicker} name="meterId" label="Meter" />
      {meter && <Balance customerId={customerId} meterId={meter.key} />}
      <TextInput
        name="units"
        label={meter?.detail ? `Units, ${meter.detail}` : 'Units'}
        inputMode="decimal"
        autoComplete="off"
        placeholder="500"
      />
      <AreaInput
        name="reason"
        label="Reason"
        hint="Shown in the credit ledger, which the customer sees too."
        rows={2}
      />
    </DialogForm>
  );
}

function Balance(variables: { customerId: string; meterId: string }) {
  const [{ data }] = useQuery({ query: BalanceBefore, variables });
  const found = data?.customer?.meter;
  return (
    data && (
      <p>
        Balance now: <Quantity value={found?.balance ?? '0'} unit={found?.meter.unit ?? null} />
      </p>
    )
  );
}
