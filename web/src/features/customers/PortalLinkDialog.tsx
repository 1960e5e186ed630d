import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { formatRelative } from '../../format/time';
import { Button, buttonClass } from '../../ui/Button';
import dialogStyles from '../../ui/Dialog.module.css';
import { Time } from '../../ui/Figures';
import { Icon } from '../../ui/Icon';
import { useNow } from '../../ui/useNow';
import { DialogForm, FormModal } from '../forms/Form';
import { ChoiceInput } from '../forms/fields';
import { Secret } from '../forms/Secret';
import { useSubmission } from '../forms/useSubmission';

const PortalLink = graphql(`
  mutation PortalLink($input: CustomerSessionCreateInput!) {
    customerSessionCreate(input: $input) {
      portalUrl
      expiresAt
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const DURATIONS = [
  { value: '15', label: '15 minutes' },
  { value: '60', label: '1 hour' },
  { value: '1440', label: '1 day' },
  { value: '10080', label: '1 week' },
];

interface Link {
  url: string;
  expiresAt: string;
}

interface Props {
  customerId: string;
  customerName: string;
  onClose(): void;
}

export function PortalLinkDialog(props: Props) {
  const [link, setLink] = useState<Link | null>(null);
  return link === null ? <Make {...props} onMade={setLink} /> : <Made {...props} link={link} />;
}

function Make({ customerId, customerName, onClose, onMade }: Props & { onMade(link: Link): void }) {
  const form = useForm({ defaultValues: { minutes: '1440' } });
  const submission = useSubmission({
    form,
    mutation: PortalLink,
    input: ({ minutes }) => ({ customerId, minutes: Number(minutes) }),
    answer: (data) => data.customerSessionCreate,
    onDone: ({ customerSessionCreate: { portalUrl, expiresAt } }) => {
      if (portalUrl && expiresAt) {
        onMade({ url: portalUrl, expiresAt });
      }
    },
  });
  return (
    <DialogForm
      title={`Portal link for ${customerName}`}
      form={form}
      submission={submission}
      action="Create link"
      onCancel={onClose}
      isQuestion
    >
      <p>
        Anyone with the link can see this customer’s usage, credit and invoices until it expires. To
        end it earlier, choose “End sessions” on the customer’s page.
      </p>
      <ChoiceInput
        name="minutes"
        label="Valid for"
        hint="It never outlives the token that you signed in with."
        options={DURATIONS}
      />
    </DialogForm>
  );
}

function Made({ customerName, onClose, link: { url, expiresAt } }: Props & { link: Link }) {
  const now = useNow();
  return (
    <FormModal title={`Portal link for ${customerName}`} onClose={onClose}>
      <div className={dialogStyles.form}>
        <div className={dialogStyles.body}>
          <Secret text={url} label="portal link" />
          <p>
            Copy it now: it is not shown again. It expires {formatRelative(expiresAt, now)}, on{' '}
            <Time at={expiresAt} />.
          </p>
        </div>
        <footer className={dialogStyles.foot}>
          <a className={buttonClass()} href={url} target="_blank" rel="noreferrer">
            Open portal <Icon name="external" size={14} />
          </a>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </footer>
      </div>
    </FormModal>
  );
}
