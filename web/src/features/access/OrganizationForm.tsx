import { useForm } from 'react-hook-form';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { allZones } from '../../format/zones';
import { Card } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { PageForm } from '../forms/Form';
import { AreaInput, Row, SuggestedInput, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';

export const OrganizationForm_organization = graphql(`
  fragment OrganizationForm_organization on Organization {
    id
    name
    displayName
    timezone
    address
    logoUrl
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

/** How pages and invoices show the organization. */
export function OrganizationForm({
  organization,
}: {
  organization: FragmentType<typeof OrganizationForm_organization>;
}) {
  const stored = readFragment(OrganizationForm_organization, organization);
  const form = useForm({
    defaultValues: {
      displayName: stored.displayName,
      timezone: stored.timezone,
      address: stored.address ?? '',
      logoUrl: stored.logoUrl ?? '',
    },
  });
  const { isDirty, dirtyFields } = form.formState;
  const submission = useSubmission({
    form,
    mutation: OrganizationUpdate,
    // What is not changed is not sent: others may have changed it meanwhile.
    input: (values) => ({
      ...(dirtyFields.displayName && { displayName: values.displayName || null }),
      ...(dirtyFields.timezone && { timezone: values.timezone || null }),
      ...(dirtyFields.address && { address: values.address || null }),
      ...(dirtyFields.logoUrl && { logoUrl: values.logoUrl || null }),
    }),
    answer: (data) => data.organizationUpdate,
    onDone: ({ organizationUpdate: { organization: saved } }) => {
      if (saved) {
        const { displayName, timezone, address, logoUrl } = readFragment(
          OrganizationForm_organization,
          saved,
        );
        form.reset({ displayName, timezone, address: address ?? '', logoUrl: logoUrl ?? '' });
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
            label="Name that customers see"
            hint={`Empty resets it to ${stored.name}.`}
          />
          <SuggestedInput
            name="timezone"
            label="Time zone"
            hint="In which your people read usage. Empty resets it to UTC."
            options={allZones()}
          />
        </Row>
        <Row>
          <AreaInput name="address" label="Address on invoices" rows={3} />
          <TextInput
            name="logoUrl"
            label="Logo"
            type="url"
            hint="The address of an image, for invoices and the portal; with https."
            placeholder="https://example.com/logo.svg"
            spellCheck={false}
          />
        </Row>
      </PageForm>
    </Card>
  );
}
