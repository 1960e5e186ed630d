import type { TypedDocumentNode } from '@urql/core';
import { useForm } from 'react-hook-form';
import { type FragmentType, graphql } from '../../api/generated';
import type { CustomerUpdateInput } from '../../api/generated/graphql';
import { DialogForm } from '../forms/Form';
import type { UserError } from '../forms/failures';
import { TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { type CustomerName_customer, customerName } from './CustomerName';

const CustomerCreate = graphql(`
  mutation CustomerCreate($input: CustomerCreateInput!) {
    customerCreate(input: $input) {
      customer {
        id
        email
        ...CustomerName_customer
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const CustomerUpdate = graphql(`
  mutation CustomerUpdate($input: CustomerUpdateInput!) {
    customerUpdate(input: $input) {
      customer {
        id
        email
        ...CustomerName_customer
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
  externalId: string;
  email: string;
}

export interface SavedCustomer {
  id: string;
  name: string;
}

interface Ends {
  onSaved(customer: SavedCustomer): void;
  onClose(): void;
}

export interface EditedCustomer {
  id: string;
  name?: string | null;
  externalId?: string | null;
  email?: string | null;
}

/** Makes a customer, or changes one. */
export function CustomerDialog({ customer, ...ends }: { customer?: EditedCustomer } & Ends) {
  return customer ? <Edit customer={customer} {...ends} /> : <Create {...ends} />;
}

const EMPTY: Values = { name: '', externalId: '', email: '' };

function Create({ onSaved, onClose }: Ends) {
  return (
    <CustomerForm
      title="New customer"
      action="Create customer"
      values={EMPTY}
      mutation={CustomerCreate}
      input={(values, idempotencyKey) => ({
        // An empty field says nothing.
        ...(values.name && { name: values.name }),
        ...(values.externalId && { externalId: values.externalId }),
        ...(values.email && { email: values.email }),
        idempotencyKey,
      })}
      answer={(data) => data.customerCreate}
      onSaved={onSaved}
      onClose={onClose}
    />
  );
}

function Edit({ customer, onSaved, onClose }: { customer: EditedCustomer } & Ends) {
  return (
    <CustomerForm
      title="Edit customer"
      action="Save changes"
      values={{
        name: customer.name ?? '',
        externalId: customer.externalId ?? '',
        email: customer.email ?? '',
      }}
      mutation={CustomerUpdate}
      input={(values, _key, isChanged): CustomerUpdateInput => ({
        id: customer.id,
        // What is not changed is not sent: others may have changed it meanwhile.
        ...(isChanged.name && { name: values.name || null }),
        ...(isChanged.externalId && { externalId: values.externalId || null }),
        ...(isChanged.email && { email: values.email || null }),
      })}
      answer={(data) => data.customerUpdate}
      onSaved={onSaved}
      onClose={onClose}
    />
  );
}

function CustomerForm<Data, Input extends object>({
  title,
  action,
  values,
  mutation,
  input,
  answer,
  onSaved,
  onClose,
}: {
  title: string;
  action: string;
  values: Values;
  mutation: TypedDocumentNode<Data, { input: Input }>;
  input(values: Values, key: string, isChanged: Partial<Record<keyof Values, boolean>>): Input;
  answer(data: Data): {
    customer?: ({ id: string } & FragmentType<typeof CustomerName_customer>) | null;
    userErrors: readonly UserError[];
  };
} & Ends) {
  const form = useForm<Values>({ defaultValues: values });
  const { dirtyFields } = form.formState;
  const submission = useSubmission({
    form,
    mutation,
    input: (entered, key) => input(entered, key, dirtyFields),
    answer,
    onDone: (data) => {
      const { customer } = answer(data);
      if (customer) {
        onSaved({ id: customer.id, name: customerName(customer) });
        onClose();
      }
    },
  });
  return (
    <DialogForm
      title={title}
      form={form}
      submission={submission}
      action={action}
      onCancel={onClose}
    >
      <TextInput name="name" label="Name" autoComplete="off" autoFocus />
      <TextInput
        name="externalId"
        label="External ID"
        hint="Your own ID for the customer, which your events contain."
        autoComplete="off"
        spellCheck={false}
      />
      <TextInput name="email" label="Email" type="email" autoComplete="off" />
    </DialogForm>
  );
}
