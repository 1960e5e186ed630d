import { useForm } from 'react-hook-form';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { OrganizationForm_OrganizationFragment } from '../../api/generated/graphql';
import { allZones } from '../../format/zones';
import { Card } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { PageForm } from '../forms/Form';
import { AreaInput, Row, SuggestedInput, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';

export const OrganizationForm_organization = graphql(`
  fragment OrganizationForm_organization on Organization {
    id
    name
    displayName
    timezone
    address
    logoUrl
    invoiceGraceHours
    paymentTermDays
  }
`);

const OrganizationUpdate = graphql(`
  mutation OrganizationUpdate($input: OrganizationUpdateInput!) {
    organizationUpdate(input: $input) {
      organization {
        ...OrganizationForm_organization
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

function shown({
  displayName,
  timezone,
  address,
  logoUrl,
  invoiceGraceHours,
  paymentTermDays,
}: OrganizationForm_OrganizationFragment) {
  return {
    displayName,
    timezone,
    address: address ?? '',
    logoUrl: logoUrl ?? '',
    invoiceGraceHours: String(invoiceGraceHours),
    paymentTermDays: String(paymentTermDays ?? ''),
  };
}

/** How pages and invoices show the organization, and when invoices are issued and due. */
export function OrganizationForm({
  organization,
}: {
  organization: FragmentType<typeof OrganizationForm_organization>;
}) {
  const stored = readFragment(OrganizationForm_organization, organization);
  const form = useForm({ defaultValues: shown(stored) });
  const { isDirty, dirtyFields } = form.formState;
  const submission = useSubmission({
    form,
    mutation: OrganizationUpdate,
    // What is not changed is not sent: others may have changed it meanwhile.
    input: (values, _key, refuse) => ({
      ...(dirtyFields.displayName && { displayName: values.displayName || null }),
      ...(dirtyFields.timezone && { timezone: values.timezone || null }),
      ...(dirtyFields.address && { address: values.address || null }),
      ...(dirtyFields.logoUrl && { logoUrl: values.logoUrl || null }),
      ...(dirtyFields.invoiceGraceHours && {
        invoiceGraceHours: wholeInput(values.invoiceGraceHours, 'invoiceGraceHours', refuse),
      }),
      ...(dirtyFields.paymentTermDays && {
        paymentTermDays: wholeInput(values.paymentTermDays, 'paymentTermDays', refuse),
      }),
    }),
    answer: (data) => data.organizationUpdate,
    onDone: ({ organizationUpdate: { organization: saved } }) => {
      if (saved) {
        form.reset(shown(readFragment(OrganizationForm_organization, saved)));
      }
      showToast('The organization is saved.');
    },
  });
  return (
    <Card title="Organization">
      <PageForm
        form={form}
        submission={submission}
        action="Save changes"
        cancel="Discard changes"
        isIdle={!isDirty}
        onCancel={() => form.reset()}
      >
        <Row>
          <TextInput
            name="displayName"
            label="Name shown to customers"
            hint={`Empty resets it to ${stored.name}.`}
          />
          <SuggestedInput
            name="timezone"
            label="Organization’s time zone"
            hint="Pages start with it, and calendar billing periods follow it. Empty resets it to UTC."
            options={allZones()}
          />
        </Row>
        <Row>
          <AreaInput name="address" label="Address on invoices" rows={3} />
          <TextInput
            name="logoUrl"
            label="Logo"
            type="url"
            hint="The https address of an image, shown on invoices and in the portal."
            placeholder="https://example.com/logo.svg"
            spellCheck={false}
          />
        </Row>
        <Row>
          <TextInput
            name="invoiceGraceHours"
            label="Draft period in hours"
            hint="How long an invoice stays a draft, so that late usage is still included. 0 issues it at once."
            inputMode="numeric"
            autoComplete="off"
          />
          <TextInput
            name="paymentTermDays"
            label="Payment term in days"
            hint="Counted from the day of issue. Empty: invoices have no due date."
            inputMode="numeric"
            autoComplete="off"
          />
        </Row>
      </PageForm>
    </Card>
  );
}
