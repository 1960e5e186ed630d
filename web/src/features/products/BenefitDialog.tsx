import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { Choice } from '../../ui/aria/Picker';
import { readDecimal } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { CheckInput, Fold, TextInput } from '../forms/fields';
import { PriorityInput } from '../forms/PriorityInput';
import { useSubmission } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';
import { MeterPicker } from '../meters/MeterPicker';
import { benefitChoice } from './benefits';

const BenefitCreate = graphql(`
  mutation BenefitCreate($input: MeterCreditBenefitCreateInput!) {
    meterCreditBenefitCreate(input: $input) {
      benefit {
        id
        ...BenefitChoice_benefit
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
  description: string;
  meterId: Choice | null;
  units: string;
  perQuantity: boolean;
  rollover: boolean;
  rolloverLimit: string;
  expiresAfterDays: string;
  priority: string;
}

export function BenefitDialog({
  onCreated,
  onClose,
}: {
  onCreated(benefit: Choice): void;
  onClose(): void;
}) {
  const form = useForm<Values>({
    defaultValues: {
      description: '',
      meterId: null,
      units: '',
      perQuantity: false,
      rollover: false,
      rolloverLimit: '',
      expiresAfterDays: '',
      priority: '',
    },
  });
  const rollsOver = useWatch({ control: form.control, name: 'rollover' });
  const submission = useSubmission({
    form,
    mutation: BenefitCreate,
    input: (
      { description, meterId, units, perQuantity, rollover, ...more },
      idempotencyKey,
      refuse,
    ) => {
      if (meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      const limit = more.rolloverLimit.trim();
      const priority = wholeInput(more.priority, 'priority', refuse);
      return {
        description,
        meterId: meterId?.key ?? '',
        units: readDecimal(units) ?? units,
        perQuantity,
        rollover,
        rolloverLimit: rollover && limit !== '' ? (readDecimal(limit) ?? limit) : null,
        expiresAfterDays: wholeInput(more.expiresAfterDays, 'expiresAfterDays', refuse),
        ...(priority !== null && { priority }),
        idempotencyKey,
      };
    },
    answer: (data) => data.meterCreditBenefitCreate,
    onDone: ({ meterCreditBenefitCreate: { benefit } }) => {
      if (benefit) {
        onCreated(benefitChoice(benefit));
        onClose();
      }
    },
  });
  return (
    <DialogForm
      title="New benefit"
      form={form}
      submission={submission}
      action="Create benefit"
      onCancel={onClose}
    >
      <TextInput
        name="description"
        label="Description"
        hint="Customers see it beside their credit."
        placeholder="100,000 tokens included"
        autoFocus
      />
      <Chosen as={MeterPicker} name="meterId" label="Meter" />
      <TextInput
        name="units"
        label="Units each period"
        inputMode="decimal"
        autoComplete="off"
        placeholder="100000"
      />
      <CheckInput
        name="perQuantity"
        label="For each that is bought"
        hint="The subscription's quantity, such as seats, multiplies the units."
      />
      <CheckInput
        name="rollover"
        label="Unused units carry over"
        hint="Otherwise they expire at the end of the period."
      />
      {rollsOver && (
        <TextInput
          name="rolloverLimit"
          label="Most units that carry over"
          hint="If empty, all unused units do."
          inputMode="decimal"
          autoComplete="off"
        />
      )}
      <Fold title="Time and priority" names={['expiresAfterDays', 'priority']}>
        <TextInput
          name="expiresAfterDays"
          label="Expires after days"
          hint={
            rollsOver
              ? 'From the start of the period. If empty, the units never expire.'
              : 'From the start of the period. If empty, the units expire at its end.'
          }
          inputMode="numeric"
          autoComplete="off"
        />
        <PriorityInput />
      </Fold>
    </DialogForm>
  );
}
