import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { UsageAlertKind } from '../../api/generated/graphql';
import type { Choice } from '../../ui/aria/Picker';
import { showToast } from '../../ui/Toast';
import { CustomerPicker } from '../customers/CustomerPicker';
import { readDecimal } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { MeterPicker } from '../meters/MeterPicker';
import { KINDS } from './kinds';

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
  meterId: Choice | null;
  customerId: Choice | null;
}

export function AlertNewDialog({ onClose }: { onClose(): void }) {
  const form = useForm<Values>({
    defaultValues: {
      name: '',
      kind: 'CONSUMED_UNITS',
      threshold: '',
      meterId: null,
      customerId: null,
    },
  });
  const [kind, meter] = useWatch({ control: form.control, name: ['kind', 'meterId'] });
  const hasMeter = kind !== 'ESTIMATED_AMOUNT';
  const submission = useSubmission({
    form,
    mutation: UsageAlertCreate,
    input: ({ name, threshold, meterId, customerId }, idempotencyKey, refuse) => {
      if (hasMeter && meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      const read = readDecimal(threshold);
      if (read === null) {
        refuse('threshold', 'Enter a number.');
      }
      return {
        name,
        kind,
        threshold: read ?? '0',
        meterId: hasMeter ? (meterId?.key ?? null) : null,
        customerId: customerId?.key ?? null,
        idempotencyKey,
      };
    },
    answer: (data) => data.usageAlertCreate,
    onDone: () => {
      showToast('The alert is created.');
      onClose();
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
      <Threshold kind={kind} unit={meter?.detail} />
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
    meter?: { unit?: string | null } | null;
  };
  onDone(): void;
  onClose(): void;
}) {
  const { id, name, kind, threshold, meter } = alert;
  const form = useForm<{ name: string; threshold: string }>({
    defaultValues: { name, threshold },
  });
  const submission = useSubmission({
    form,
    mutation: UsageAlertEdit,
    input: (values, _key, refuse) => {
      const read = readDecimal(values.threshold);
      if (read === null) {
        refuse('threshold', 'Enter a number.');
      }
      return { id, name: values.name, threshold: read ?? '0' };
    },
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
      <Threshold kind={kind} unit={meter?.unit ?? undefined} />
    </DialogForm>
  );
}

function Threshold({ kind, unit }: { kind: UsageAlertKind; unit?: string | undefined }) {
  const terms = {
    CONSUMED_UNITS: unit ?? 'units',
    CREDIT_BALANCE: unit ?? 'units',
    CREDIT_USED_PERCENT: 'percent',
    ESTIMATED_AMOUNT: 'minor units, such as cents',
  };
  return (
    <TextInput
      name="threshold"
      label={`Threshold, ${terms[kind]}`}
      inputMode="decimal"
      autoComplete="off"
      placeholder={kind === 'CREDIT_USED_PERCENT' ? '80' : '1000'}
    />
  );
}
