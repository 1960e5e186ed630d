import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { DialogForm } from '../forms/Form';
import { ChoiceInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { SecretDialog } from './EndpointDialogs';

const WebhookEndpointRotateSecret = graphql(`
  mutation WebhookEndpointRotateSecret($input: WebhookEndpointRotateSecretInput!) {
    webhookEndpointRotateSecret(input: $input) {
      secret
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const OVERLAPS = [
  { value: '0', label: 'Not at all' },
  { value: '1', label: 'For an hour' },
  { value: '24', label: 'For a day' },
  { value: '168', label: 'For a week' },
] as const;

interface Values {
  overlap: (typeof OVERLAPS)[number]['value'];
}

/** Gives an endpoint a new secret, and shows it once. */
export function RotateDialog({ id, onClose }: { id: string; onClose(): void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const form = useForm<Values>({ defaultValues: { overlap: '24' } });
  const submission = useSubmission({
    form,
    mutation: WebhookEndpointRotateSecret,
    input: ({ overlap }) => ({ id, overlapHours: Number(overlap) }),
    answer: (data) => data.webhookEndpointRotateSecret,
    onDone: (data) => setSecret(data.webhookEndpointRotateSecret.secret ?? null),
  });
  if (secret !== null) {
    return <SecretDialog title="The secret is rotated" secret={secret} onClose={onClose} />;
  }
  return (
    <DialogForm
      title="Rotate secret"
      form={form}
      submission={submission}
      action="Rotate secret"
      onCancel={onClose}
      isQuestion
    >
      <p>
        Requests are signed with a new secret from now on. While the old one signs as well, your
        receiver works with either.
      </p>
      <ChoiceInput name="overlap" label="The old secret signs as well" options={OVERLAPS} />
    </DialogForm>
  );
}
