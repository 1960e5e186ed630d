import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { Choice } from '../../ui/aria/Picker';
import { readDecimal } from '../forms/amounts';
import { Chosen } from '../forms/choices';
import { DialogForm } from '../forms/Form';
import { CheckInput, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { MeterPicker } from '../meters/MeterPicker';
import { type Benefit, benefitChoice } from './benefits';

const BenefitCreate = graphql(`
  mutation BenefitCreate($input: MeterCreditBenefitCreateInput!) {
    meterCreditBenefitCreate(input: $input) {
      benefit {
        id
        description
        units
        rollover
        meter {
          id
          name
          unit
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
  description: string;
  meterId: Choice | null;
  units: string;
  rollover: boolean;
}

export function BenefitDialog({
  onCreated,
  onClose,
}: {
  onCreated(benefit: Choice): void;
  onClose(): void;
}) {
  const form = useForm<Values>({
    defaultValues: { description: '', meterId: null, units: '', rollover: false },
  });
  const submission = useSubmission({
    form,
    mutation: BenefitCreate,
    input: ({ description, meterId, units, rollover }, idempotencyKey, refuse) => {
      if (meterId === null) {
        refuse('meterId', 'Choose a meter.');
      }
      return {
        description,
        meterId: meterId?.key ?? '',
        units: readDecimal(units) ?? units,
        rollover,
        idempotencyKey,
      };
    },
    answer: (data) => data.meterCreditBenefitCreate,
    onDone: ({ meterCreditBenefitCreate: { benefit } }) => {
      if (benefit) {
        onCreated(benefitChoice(benefit satisfies Benefit));
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
        name="rollover"
        label="Unused units carry over"
        hint="Otherwise they expire at the end of the period."
      />
    </DialogForm>
  );
}
