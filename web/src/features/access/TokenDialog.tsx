import { useState } from 'react';
import { useController, useForm, useWatch } from 'react-hook-form';
import { serverNow } from '../../api/clock';
import { graphql } from '../../api/generated';
import type { Scope } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import dialogStyles from '../../ui/Dialog.module.css';
import { Checkbox } from '../../ui/Field';
import { useZone } from '../../ui/zone';
import { DialogForm, FormModal } from '../forms/Form';
import styles from '../forms/Forms.module.css';
import { ChoiceInput, FieldMessage, TextInput } from '../forms/fields';
import { instantAt } from '../forms/instants';
import { Secret } from '../forms/Secret';
import { useSubmission } from '../forms/useSubmission';

const TokenCreate = graphql(`
  mutation TokenCreate($input: AccessTokenCreateInput!) {
    accessTokenCreate(input: $input) {
      secret
      accessToken {
        id
        name
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const SCOPES: { scope: Scope; label: string; about: string }[] = [
  {
    scope: 'EVENTS_WRITE',
    label: 'Send events',
    about: 'Also creates the customers that they name.',
  },
  {
    scope: 'USAGE_READ',
    label: 'Read usage',
    about: 'Customers, events, meters and what they counted.',
  },
  { scope: 'METERS_WRITE', label: 'Change meters', about: 'Create, change and archive them.' },
  {
    scope: 'BILLING_READ',
    label: 'Read billing',
    about: 'Products, subscriptions, credits and invoices.',
  },
  {
    scope: 'BILLING_WRITE',
    label: 'Change billing',
    about: 'Customers, products, subscriptions, credits and portal links.',
  },
  {
    scope: 'WEBHOOKS_READ',
    label: 'Read webhooks',
    about: 'Endpoints and their deliveries, which contain customers and invoices.',
  },
  {
    scope: 'WEBHOOKS_WRITE',
    label: 'Change webhooks',
    about: 'Create, change and delete endpoints.',
  },
  { scope: 'ALERTS_READ', label: 'Read alerts', about: 'Usage alerts and what triggered them.' },
  { scope: 'ALERTS_WRITE', label: 'Change alerts', about: 'Create, change and delete them.' },
  {
    scope: 'AUDIT_READ',
    label: 'Read the audit log',
    about: 'Every change: who made it, when, and its input.',
  },
  { scope: 'ADMIN', label: 'Everything', about: 'Including these settings and all tokens.' },
];

const DAY = 86_400_000;
const EXPIRIES = [
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'at', label: 'On a date you choose' },
  { value: 'never', label: 'Never' },
] as const;

interface Values {
  name: string;
  scopes: Scope[];
  expiry: (typeof EXPIRIES)[number]['value'];
  expiresAt: string;
}

interface Made {
  name: string;
  secret: string;
}

interface Props {
  onCreated(): void;
  onClose(): void;
}

export function TokenDialog(props: Props) {
  const [made, setMade] = useState<Made | null>(null);
  return made === null ? (
    <Make {...props} onMade={setMade} />
  ) : (
    <FormModal title={`${made.name} is created`} onClose={props.onClose}>
      <div className={dialogStyles.form}>
        <div className={dialogStyles.body}>
          <Secret text={made.secret} label="access token" />
          <p>
            Copy it now and store it with your other secrets. Metergraph keeps only a hash of it and
            cannot show it again.
          </p>
        </div>
        <footer className={dialogStyles.foot}>
          <Button look="primary" onClick={props.onClose}>
            I have copied it
          </Button>
        </footer>
      </div>
    </FormModal>
  );
}

function Make({ onCreated, onClose, onMade }: Props & { onMade(made: Made): void }) {
  const zone = useZone();
  const form = useForm<Values>({
    defaultValues: { name: '', scopes: [], expiry: '90', expiresAt: '' },
  });
  const expiry = useWatch({ control: form.control, name: 'expiry' });
  const submission = useSubmission({
    form,
    mutation: TokenCreate,
    input: (values, _key, refuse) => {
      const chosen = instantAt(`${values.expiresAt}T00:00`, zone);
      if (values.expiry === 'at' && chosen === null) {
        refuse('expiresAt', 'Choose the date on which it expires.');
      }
      return {
        name: values.name,
        scopes: values.scopes,
        expiresAt: values.expiry === 'at' ? chosen : inDays(values.expiry),
      };
    },
    answer: (data) => data.accessTokenCreate,
    onDone: ({ accessTokenCreate: { secret, accessToken } }) => {
      if (secret && accessToken) {
        onMade({ secret, name: accessToken.name });
        onCreated();
      }
    },
  });
  return (
    <DialogForm
      title="New access token"
      form={form}
      submission={submission}
      action="Create token"
      onCancel={onClose}
    >
      <TextInput
        name="name"
        label="Name"
        hint="What it is for."
        placeholder="Backend, production"
        autoComplete="off"
        autoFocus
      />
      <Scopes />
      <ChoiceInput name="expiry" label="Expires" options={EXPIRIES} />
      {expiry === 'at' && (
        <TextInput
          name="expiresAt"
          label={`Expires when this date begins in ${zone}`}
          type="date"
        />
      )}
    </DialogForm>
  );
}

function inDays(days: string): string | null {
  return days === 'never' ? null : new Date(serverNow() + Number(days) * DAY).toISOString();
}

function Scopes() {
  const { field } = useController<Values, 'scopes'>({ name: 'scopes' });
  const change = (scope: Scope, isChosen: boolean) =>
    field.onChange(
      isChosen ? [...field.value, scope] : field.value.filter((each) => each !== scope),
    );
  return (
    <fieldset className={styles.checks} data-field="scopes">
      <legend>What it may do</legend>
      {SCOPES.map(({ scope, label, about }) => (
        <Checkbox
          key={scope}
          label={label}
          hint={about}
          checked={field.value.includes(scope)}
          onChange={(isChosen) => change(scope, isChosen)}
        />
      ))}
      <FieldMessage name="scopes" />
    </fieldset>
  );
}
