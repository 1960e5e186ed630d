import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { showToast } from '../../ui/Toast';
import { DialogForm } from '../forms/Form';
import { TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';

const EraseCustomer = graphql(`
  mutation EraseCustomer($input: CustomerEraseInput!) {
    customerErase(input: $input) {
      customer {
        ...CustomerErased_customer
        ...CustomerName_customer
        email
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** Asks to type what the customer is called, because nothing brings it back. */
export function EraseDialog({
  customer: { id, name, externalId },
  onErased,
  onClose,
}: {
  customer: { id: string; name: string | null; externalId: string | null };
  onErased(): void;
  onClose(): void;
}) {
  const called = name ?? externalId ?? id;
  const what = name !== null ? 'name' : externalId !== null ? 'external ID' : 'ID';
  const form = useForm({ defaultValues: { typed: '' } });
  const submission = useSubmission({
    form,
    mutation: EraseCustomer,
    input: ({ typed }, idempotencyKey, refuse) => {
      if (typed.trim() !== called.trim()) {
        refuse('typed', `This is not the customer’s ${what}.`);
      }
      return { id, idempotencyKey };
    },
    answer: (data) => data.customerErase,
    onDone: () => {
      showToast('The customer is erased.');
      onClose();
      onErased();
    },
  });
  return (
    <DialogForm
      title={`Erase ${called}?`}
      form={form}
      submission={submission}
      action="Erase for good"
      onCancel={onClose}
      isDanger
      isQuestion
    >
      <p>
        <strong>What goes:</strong> name, email and external ID, portal links and sessions, its own
        alerts, texts about it in the audit log and in stored webhooks, and the metadata of its
        events.
      </p>
      <p>
        <strong>What stays:</strong> all usage and credit, invoices with their texts, and which
        meters counted an event. No number changes. Backups and exported files stay too.
      </p>
      <p>
        An erased customer can be neither used nor restored. Events that name its external ID later
        create another customer.
      </p>
      <TextInput
        name="typed"
        label={`Type the customer’s ${what} to confirm`}
        hint={<bdi>{called}</bdi>}
        autoComplete="off"
        autoFocus
      />
    </DialogForm>
  );
}
