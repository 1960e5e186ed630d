import { useState } from 'react';
import { useController, useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { Button } from '../../ui/Button';
import dialogStyles from '../../ui/Dialog.module.css';
import { Checkbox } from '../../ui/Field';
import { showToast } from '../../ui/Toast';
import { DialogForm, FormModal } from '../forms/Form';
import styles from '../forms/Forms.module.css';
import { FieldMessage, TextInput } from '../forms/fields';
import { Secret } from '../forms/Secret';
import { useSubmission } from '../forms/useSubmission';
import { EVENT_TYPES } from './eventTypes';

const WebhookEndpointCreate = graphql(`
  mutation WebhookEndpointCreate($input: WebhookEndpointCreateInput!) {
    webhookEndpointCreate(input: $input) {
      secret
      webhookEndpoint {
        id
        ...EndpointCells_endpoint
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const WebhookEndpointUpdate = graphql(`
  mutation WebhookEndpointUpdate($input: WebhookEndpointUpdateInput!) {
    webhookEndpointUpdate(input: $input) {
      webhookEndpoint {
        id
        disabledReason
        ...EndpointCells_endpoint
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
  url: string;
  description: string;
  eventTypes: string[];
}

/** A problem with one of the types is shown below all of them. */
const at = (path: readonly string[]) => (path[0] === 'eventTypes' ? ['eventTypes'] : path);

export function EndpointNewDialog({ onClose }: { onClose(): void }) {
  const [secret, setSecret] = useState<string | null>(null);
  return secret === null ? (
    <Make onMade={setSecret} onClose={onClose} />
  ) : (
    <SecretDialog title="The endpoint is created" secret={secret} onClose={onClose} />
  );
}

function Make({ onMade, onClose }: { onMade(secret: string): void; onClose(): void }) {
  const form = useForm<Values>({ defaultValues: { url: '', description: '', eventTypes: [] } });
  const submission = useSubmission({
    form,
    mutation: WebhookEndpointCreate,
    input: ({ url, description, eventTypes }, idempotencyKey) => ({
      url: url.trim(),
      description: description.trim() || null,
      eventTypes,
      idempotencyKey,
    }),
    at,
    answer: (data) => data.webhookEndpointCreate,
    onDone: ({ webhookEndpointCreate: { secret } }) => {
      if (secret) {
        onMade(secret);
      } else {
        showToast('The endpoint was created already. Rotate its secret to see one.', true);
        onClose();
      }
    },
  });
  return (
    <DialogForm
      title="New webhook endpoint"
      form={form}
      submission={submission}
      action="Create endpoint"
      onCancel={onClose}
    >
      <EndpointFields />
    </DialogForm>
  );
}

export function EndpointEditDialog({
  endpoint,
  onClose,
}: {
  endpoint: { id: string; url: string; description?: string | null; eventTypes: string[] };
  onClose(): void;
}) {
  const { id, url, description, eventTypes } = endpoint;
  const form = useForm<Values>({
    defaultValues: { url, description: description ?? '', eventTypes },
  });
  const submission = useSubmission({
    form,
    mutation: WebhookEndpointUpdate,
    input: (values) => ({
      id,
      url: values.url.trim(),
      description: values.description.trim() || null,
      eventTypes: values.eventTypes,
    }),
    at,
    answer: (data) => data.webhookEndpointUpdate,
    onDone: () => {
      showToast('The endpoint is saved.');
      onClose();
    },
  });
  return (
    <DialogForm
      title="Edit endpoint"
      form={form}
      submission={submission}
      action="Save endpoint"
      onCancel={onClose}
    >
      <EndpointFields />
    </DialogForm>
  );
}

function EndpointFields() {
  return (
    <>
      <TextInput
        name="url"
        label="URL"
        type="url"
        hint="With https, and reachable from the internet."
        placeholder="https://example.com/metergraph"
        spellCheck={false}
        autoComplete="off"
        autoFocus
      />
      <TextInput
        name="description"
        label="Description (optional)"
        placeholder="Accounting"
        autoComplete="off"
      />
      <Types />
    </>
  );
}

function Types() {
  const { field } = useController<Values, 'eventTypes'>({ name: 'eventTypes' });
  const change = (type: string, isChosen: boolean) =>
    field.onChange(isChosen ? [...field.value, type] : field.value.filter((each) => each !== type));
  return (
    <fieldset className={styles.checks} data-field="eventTypes">
      <legend>Events: all, unless you choose some</legend>
      {EVENT_TYPES.map(({ type, about }) => (
        <Checkbox
          key={type}
          label={type}
          hint={about}
          checked={field.value.includes(type)}
          onChange={(isChosen) => change(type, isChosen)}
        />
      ))}
      <FieldMessage name="eventTypes" />
    </fieldset>
  );
}

/** Shows a new secret, once. */
export function SecretDialog({
  title,
  secret,
  onClose,
}: {
  title: string;
  secret: string;
  onClose(): void;
}) {
  return (
    <FormModal title={title} onClose={onClose}>
      <div className={dialogStyles.form}>
        <div className={dialogStyles.body}>
          <Secret text={secret} label="signing secret" />
          <p>
            Copy it now, and check with it the signature of each request. It is stored encrypted and
            not shown again.
          </p>
        </div>
        <footer className={dialogStyles.foot}>
          <Button look="primary" onClick={onClose}>
            I have copied it
          </Button>
        </footer>
      </div>
    </FormModal>
  );
}
