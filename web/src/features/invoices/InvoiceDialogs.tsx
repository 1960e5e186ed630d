import { useForm, useWatch } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { formatMoney } from '../../format/money';
import { showToast } from '../../ui/Toast';
import { toWholeMinor } from '../forms/amounts';
import { DialogForm } from '../forms/Form';
import { AreaInput, TextInput } from '../forms/fields';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import type { Action } from './InvoiceActions';

const Finalize = graphql(`
  mutation InvoiceFinalize($input: InvoiceFinalizeInput!) {
    invoiceFinalize(input: $input) {
      invoice {
        id
        number
        status
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const MarkPaid = graphql(`
  mutation InvoiceMarkPaid($input: InvoiceMarkPaidInput!) {
    invoiceMarkPaid(input: $input) {
      invoice {
        id
        number
        status
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const VoidInvoice = graphql(`
  mutation InvoiceVoid($input: InvoiceVoidInput!) {
    invoiceVoid(input: $input) {
      invoice {
        id
        number
        status
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const CreateCreditNote = graphql(`
  mutation CreditNoteCreate($input: CreditNoteCreateInput!) {
    creditNoteCreate(input: $input) {
      creditNote {
        id
        number
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

interface Props {
  /** `left`: how much of it has no credit note yet, in minor units. */
  invoice: { id: string; number: string; currency: string; left: number };
  onDone(): void;
  onClose(): void;
}

/** Asks before an invoice is changed, and for what that needs. */
export function InvoiceDialog({ action, ...props }: Props & { action: Action }) {
  switch (action) {
    case 'finalize':
      return <FinalizeDialog {...props} />;
    case 'pay':
      return <PaidDialog {...props} />;
    case 'void':
      return <VoidDialog {...props} />;
    case 'credit':
      return <CreditNoteDialog {...props} />;
  }
}

function FinalizeDialog({ invoice: { id }, onDone, onClose }: Props) {
  const form = useForm({ defaultValues: {} });
  const submission = useSubmission({
    form,
    mutation: Finalize,
    input: (_values, idempotencyKey) => ({ id, idempotencyKey }),
    answer: (data) => data.invoiceFinalize,
    onDone: ({ invoiceFinalize: { invoice } }) => {
      showToast(
        invoice?.number
          ? `Invoice ${invoice.number} is issued.`
          : 'The invoice will be issued as soon as all events are counted.',
      );
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title="Issue this invoice now?"
      form={form}
      submission={submission}
      action="Issue now"
      onCancel={onClose}
      isQuestion
    >
      <p>
        It gets its number, and its lines never change again. Usage that arrives later is corrected
        on the next invoice.
      </p>
    </DialogForm>
  );
}

function PaidDialog({ invoice: { id, number }, onDone, onClose }: Props) {
  const form = useForm({ defaultValues: { reference: '' } });
  const submission = useSubmission({
    form,
    mutation: MarkPaid,
    input: ({ reference }, idempotencyKey) => ({
      id,
      reference: reference || null,
      idempotencyKey,
    }),
    answer: (data) => data.invoiceMarkPaid,
    onDone: () => {
      showToast(`Invoice ${number} is paid.`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Mark invoice ${number} as paid?`}
      form={form}
      submission={submission}
      action="Mark as paid"
      onCancel={onClose}
    >
      <p>A paid invoice cannot be voided. A credit note can still take an amount off it.</p>
      <TextInput
        name="reference"
        label="Payment reference"
        hint="Optional. What identifies the payment, such as the number of a bank transfer."
        autoComplete="off"
      />
    </DialogForm>
  );
}

function VoidDialog({ invoice: { id, number }, onDone, onClose }: Props) {
  const form = useForm({ defaultValues: { effect: 'again', reason: '' } });
  const effect = useWatch({ control: form.control, name: 'effect' });
  const submission = useSubmission({
    form,
    mutation: VoidInvoice,
    input: (values, idempotencyKey) => ({
      id,
      reason: values.reason,
      writeOff: values.effect === 'writeOff',
      idempotencyKey,
    }),
    answer: (data) => data.invoiceVoid,
    onDone: () => {
      showToast(`Invoice ${number} is void.`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Void invoice ${number}?`}
      form={form}
      submission={submission}
      action={effect === 'writeOff' ? 'Void and write off' : 'Void invoice'}
      cancel="Keep invoice"
      onCancel={onClose}
      isDanger
    >
      <RadioInput
        name="effect"
        label="What happens to its charges"
        options={[
          {
            value: 'again',
            label: 'Bill it again',
            about: 'The subscription’s next invoice includes the same charges again.',
          },
          {
            value: 'writeOff',
            label: 'Write it off',
            about: 'Its charges count as billed and are never billed again.',
          },
        ]}
      />
      <AreaInput name="reason" label="Reason" hint="The customer does not see it." rows={2} />
      <p>The invoice keeps its number and its lines. This cannot be undone.</p>
    </DialogForm>
  );
}

function CreditNoteDialog({ invoice: { id, number, currency, left }, onDone, onClose }: Props) {
  const form = useForm({ defaultValues: { amount: '', effect: 'balance', reason: '' } });
  const submission = useSubmission({
    form,
    mutation: CreateCreditNote,
    input: (values, idempotencyKey, refuse) => {
      const read = toWholeMinor(values.amount, currency);
      if ('problem' in read) {
        refuse('amount', read.problem);
      }
      return {
        invoiceId: id,
        amount: 'problem' in read ? 0 : read.amount,
        reason: values.reason,
        refunded: values.effect === 'refunded',
        idempotencyKey,
      };
    },
    answer: (data) => data.creditNoteCreate,
    onDone: ({ creditNoteCreate: { creditNote } }) => {
      showToast(`Credit note ${creditNote?.number} is issued.`);
      onClose();
      onDone();
    },
  });
  return (
    <DialogForm
      title={`Credit note for invoice ${number}`}
      form={form}
      submission={submission}
      action="Issue credit note"
      onCancel={onClose}
    >
      <TextInput
        name="amount"
        label={`Amount in ${currency}`}
        hint={`At most ${formatMoney(left, currency)}.`}
        inputMode="decimal"
        autoComplete="off"
      />
      <RadioInput
        name="effect"
        label="How the customer gets it"
        options={[
          {
            value: 'balance',
            label: 'Deduct it from the next invoices',
            about: 'It becomes a balance of the customer, which the next invoices use.',
          },
          {
            value: 'refunded',
            label: 'Settle it outside Metergraph',
            about: 'You refund it yourself, or do not collect it.',
          },
        ]}
      />
      <AreaInput name="reason" label="Reason" hint="The customer sees it." rows={2} />
      <p>This cannot be undone.</p>
    </DialogForm>
  );
}
