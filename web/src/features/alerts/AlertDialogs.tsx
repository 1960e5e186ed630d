import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { UsageAlertKind } from '../../api/generated/graphql';
import { shift } from '../../format/decimals';
import { currencyDecimals } from '../../format/money';
import type { Choice } from '../../ui/aria/Picker';
import { showToast } from '../../ui/Toast';
import { CustomerPicker } from '../customers/CustomerPicker';
import { CURRENCIES, readDecimal, toWholeMinor } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { SuggestedInput, TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { MeterPicker, meterChoice } from '../meters/MeterPicker';
import { KINDS } from './kinds';
import type { WatchedMeter } from './NewAlert';

const UsageAlertCreate = graphql(`
  mutation UsageAlertCreate($input: UsageAlertCreateInput!) {
    usageAlertCreate(input: $input) {
      alert {
        id
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const UsageAlertEdit = graphql(`
  mutation UsageAlertEdit($input: UsageAlertUpdateInput!) {
    usageAlertUpdate(input: $input) {
      alert {
        id
        name
        threshold
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
  name: string;
  kind: UsageAlertKind;
  threshold: string;
  currency: string;
  meterId: Choice | null;
  customerId: Choice | null;
}

export function AlertNewDialog({
  meter: given,
  onDone,
  onClose,
}: {
  /** The meter whose page it is. */
  meter: WatchedMeter | null;
  onDone(): void;
  onClose(): void;
}) {
  const form = useForm<Values>({
    defaultValues: {
      name: '',
      kind: 'CONSUMED_UNITS',
      threshold: '',
      currency: 'USD',
      meterId: given && meterChoice(given),
      customerId: null,
    },
  });
  const [kind, meter, currency] = useWatch({
    control: form.control,
    name: ['kind', 'meterId', 'currency'],
  });
  const hasMeter = kind !== 'ESTIMATED_AMOUNT';
  const submission = useSubmission({
    form,
    mutation: UsageAlertCreate,
    input: ({ name, threshold, meterId, customerId }, idempotencyKey, refuse) => {
      if (hasMeter && meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      return {
        name,
        kind,
        threshold: readThreshold(threshold, hasMeter ? null : currency, refuse),
        currency: hasMeter ? null : currency,
        meterId: hasMeter ? (meterId?.key ?? null) : null,
        customerId: customerId?.key ?? null,
        idempotencyKey,
      };
    },
    answer: (data) => data.usageAlertCreate,
    onDone: () => {
      showToast('The alert is created.');
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title="New alert"
      form={form}
      submission={submission}
      action="Create alert"
      onCancel={onClose}
    >
      <TextInput
        name="name"
        label="Name"
        placeholder="Most of the plan is used"
        autoComplete="off"
        autoFocus
      />
      <RadioInput name="kind" label="What it watches" options={KINDS} />
      {hasMeter && <Chosen as={MeterPicker} name="meterId" label="Meter" />}
      {!hasMeter && (
        <SuggestedInput
          name="currency"
          label="Currency"
          hint="Subscriptions in other currencies do not count."
          options={CURRENCIES}
        />
      )}
      <Threshold kind={kind} unit={meter?.detail} currency={currency} />
      <Chosen as={CustomerPicker} name="customerId" label="Only this customer (optional)" />
    </DialogForm>
  );
}

export function AlertEditDialog({
  alert,
  onDone,
  onClose,
}: {
  alert: {
    id: string;
    name: string;
    kind: UsageAlertKind;
    threshold: string;
    currency?: string | null;
    meter?: { unit?: string | null } | null;
  };
  onDone(): void;
  onClose(): void;
}) {
  const { id, name, kind, threshold, currency = null, meter } = alert;
  const written = currency === null ? threshold : shift(threshold, currencyDecimals(currency));
  const form = useForm<{ name: string; threshold: string }>({
    defaultValues: { name, threshold: written },
  });
  const submission = useSubmission({
    form,
    mutation: UsageAlertEdit,
    input: (values, _key, refuse) => ({
      id,
      name: values.name,
      threshold: readThreshold(values.threshold, currency, refuse),
    }),
    answer: (data) => data.usageAlertUpdate,
    onDone: () => {
      showToast('The alert is saved.');
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title="Edit alert"
      form={form}
      submission={submission}
      action="Save alert"
      onCancel={onClose}
    >
      <TextInput name="name" label="Name" autoComplete="off" />
      <Threshold kind={kind} unit={meter?.unit ?? undefined} currency={currency} />
    </DialogForm>
  );
}

/** A threshold as the API takes it: an amount is written in major units. */
function readThreshold(
  text: string,
  currency: string | null,
  refuse: (field: string, message: string) => void,
): string {
  if (currency !== null) {
    const read = toWholeMinor(text, currency);
    if ('problem' in read) {
      refuse('threshold', read.problem);
      return '0';
    }
    return String(read.amount);
  }
  const read = readDecimal(text);
  if (read === null) {
    refuse('threshold', 'Enter a number.');
  }
  return read ?? '0';
}

function Threshold({
  kind,
  unit,
  currency,
}: {
  kind: UsageAlertKind;
  unit?: string | undefined;
  /** Null: each currency by itself. */
  currency: string | null;
}) {
  const terms = {
    CONSUMED_UNITS: { label: unit ?? 'units', example: '1000' },
    CREDIT_BALANCE: { label: unit ?? 'units', example: '1000' },
    CREDIT_USED_PERCENT: { label: 'percent', example: '80' },
    ESTIMATED_AMOUNT: { label: currency ?? 'minor units, such as cents', example: '500.00' },
  }[kind];
  return (
    <TextInput
      name="threshold"
      label={`Threshold, ${terms.label}`}
      inputMode="decimal"
      autoComplete="off"
      placeholder={terms.example}
    />
  );
}
