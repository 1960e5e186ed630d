import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { Quantity } from '../../ui/Figures';
import { showToast } from '../../ui/Toast';
import { DialogForm } from '../forms/Form';
import { AreaInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';

const VoidGrant = graphql(`
  mutation VoidGrant($input: CreditGrantVoidInput!) {
    creditGrantVoid(input: $input) {
      grant {
        id
        remaining
        expiresAt
        voidedAt
        voidReason
        customer {
          id
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

/** Asks why what remains of a grant is taken. */
export function VoidDialog({
  grant: { id, name, remaining },
  unit,
  onClose,
}: {
  grant: { id: string; name: string; remaining: string };
  unit: string | null;
  onClose(): void;
}) {
  const form = useForm({ defaultValues: { reason: '' } });
  const submission = useSubmission({
    form,
    mutation: VoidGrant,
    input: ({ reason }, idempotencyKey) => ({ id, reason, idempotencyKey }),
    answer: (data) => data.creditGrantVoid,
    onDone: () => {
      showToast('The grant is voided.');
      onClose();
    },
  });
  return (
    <DialogForm
      title={`Void “${name}”?`}
      form={form}
      submission={submission}
      action="Void grant"
      cancel="Keep grant"
      onCancel={onClose}
      isDanger
    >
      <p>
        The customer loses what remains: <Quantity value={remaining} unit={unit} />. What was used
        before stays paid. This cannot be undone.
      </p>
      <AreaInput
        name="reason"
        label="Reason"
        hint="The customer can read it through the API."
        rows={2}
        autoFocus
      />
    </DialogForm>
  );
}
