import { useForm, useWatch } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { subtract } from '../../format/decimals';
import type { Choice } from '../../ui/aria/Picker';
import { Quantity } from '../../ui/Figures';
import { showToast } from '../../ui/Toast';
import { useZone } from '../../ui/zone';
import { readDecimal } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { AreaInput, Fold, Row, TextInput } from '../forms/fields';
import { instantInput } from '../forms/instants';
import { PriorityInput } from '../forms/PriorityInput';
import { RadioInput } from '../forms/Radios';
import { type Refuse, useSubmission } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';
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
  effectiveAt: string;
  expiresAt: string;
  priority: string;
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
  const zone = useZone();
  const form = useForm<Values>({
    defaultValues: {
      direction: 'grant',
      meterId: null,
      units: '',
      reason: '',
      effectiveAt: '',
      expiresAt: '',
      priority: '',
    },
  });
  const [direction, meter] = useWatch({ control: form.control, name: ['direction', 'meterId'] });
  const isDebit = direction === 'debit';
  const submission = useSubmission({
    form,
    mutation: Credit,
    input: ({ meterId, units, reason, ...time }, idempotencyKey, refuse) => {
      if (meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      const read = readDecimal(units);
      return {
        customerId,
        meterId: meterId?.key ?? '',
        units: read === null ? units : isDebit ? subtract('0', read) : read,
        reason,
        ...(!isDebit && timeOf(time, zone, refuse)),
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
            about: 'Used before anything is charged. Unused units carry over until they expire.',
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
      {!isDebit && (
        <Fold title="Time and priority" names={['effectiveAt', 'expiresAt', 'priority']}>
          <Row>
            <TextInput
              name="effectiveAt"
              label={`Begins, ${zone}`}
              type="datetime-local"
              hint="If empty, all usage of the current period can use the units."
            />
            <TextInput
              name="expiresAt"
              label={`Expires, ${zone}`}
              type="datetime-local"
              hint="If empty, they never expire."
            />
          </Row>
          <PriorityInput />
        </Fold>
      )}
    </DialogForm>
  );
}

/** When the units can be used, and in which order. */
function timeOf(
  values: Pick<Values, 'effectiveAt' | 'expiresAt' | 'priority'>,
  zone: string,
  refuse: Refuse,
) {
  const priority = wholeInput(values.priority, 'priority', refuse);
  return {
    effectiveAt: instantInput(values.effectiveAt, zone, 'effectiveAt', refuse),
    expiresAt: instantInput(values.expiresAt, zone, 'expiresAt', refuse),
    ...(priority !== null && { priority }),
  };
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
