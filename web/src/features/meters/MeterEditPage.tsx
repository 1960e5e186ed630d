import { Link, useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Badge } from '../../ui/Badge';
import { buttonClass } from '../../ui/Button';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { PageForm } from '../forms/Form';
import { useSubmission } from '../forms/useSubmission';
import { LoadedForm } from '../listing/LoadedForm';
import { describeAggregation } from './aggregation';
import { DimensionFields } from './DimensionFields';
import { EditedMeter, meterValues } from './editedMeter';
import { FilterText } from './FilterText';
import { DefinitionFields, MeterBuilder, NameFields } from './MeterBuilder';
import {
  aggregationInput,
  dimensionsInput,
  filterInput,
  formPath,
  type MeterValues,
} from './meterValues';

const MeterToEdit = graphql(`
  query MeterToEdit($id: ID!) {
    meter(id: $id) {
      ...EditedMeter
    }
  }
`);

const MeterUpdate = graphql(`
  mutation MeterUpdate($input: MeterUpdateInput!) {
    meterUpdate(input: $input) {
      meter {
        ...EditedMeter
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export function MeterEditPage() {
  return (
    <LoadedForm scope="METERS_WRITE" what="meter" query={MeterToEdit} found={(data) => data.meter}>
      {(meter) => <EditMeter meter={meter} />}
    </LoadedForm>
  );
}

function EditMeter({ meter }: { meter: FragmentType<typeof EditedMeter> }) {
  const { id, name, isLocked } = readFragment(EditedMeter, meter);
  const navigate = useNavigate();
  const stored = meterValues(meter);
  const form = useForm({ defaultValues: stored });
  const isChanged = (dimensions: MeterValues['dimensions']) =>
    dimensionsInput(dimensions).join('\n') !== dimensionsInput(stored.dimensions).join('\n');
  const { dirtyFields } = form.formState;
  const toMeter = () => navigate({ to: '/meters/$id', params: { id } });
  const submission = useSubmission({
    form,
    mutation: MeterUpdate,
    // What is not changed is not sent: others may have changed it meanwhile.
    input: (values) => ({
      id,
      ...(dirtyFields.name && { name: values.name }),
      ...(dirtyFields.unit && { unit: values.unit || null }),
      ...(dirtyFields.filter && { filter: filterInput(values.filter) }),
      ...(dirtyFields.aggregation && { aggregation: aggregationInput(values.aggregation) }),
      ...(isChanged(values.dimensions) && { dimensions: dimensionsInput(values.dimensions) }),
    }),
    at: formPath,
    answer: (data) => data.meterUpdate,
    onDone: (_data, values) => {
      showToast(`${values.name} is saved.`);
      toMeter();
    },
  });
  return (
    <Stack>
      <PageHead
        above={
          <Link to="/meters/$id" params={{ id }}>
            <bdi>{name}</bdi>
          </Link>
        }
        title="Edit meter"
        badge={isLocked && <Badge>Locked</Badge>}
      />
      <PageForm
        form={form}
        submission={submission}
        action="Save changes"
        onCancel={toMeter}
        layout={MeterBuilder}
      >
        <NameFields />
        {isLocked ? <Locked meter={meter} /> : <DefinitionFields />}
        <DimensionFields />
      </PageForm>
    </Stack>
  );
}

function Locked({ meter }: { meter: FragmentType<typeof EditedMeter> }) {
  const { id, filter, aggregation } = readFragment(EditedMeter, meter);
  return (
    <Card title="Definition">
      <Stack>
        <p>
          {describeAggregation(aggregation)} where <FilterText filter={filter} />
        </p>
        <p>
          The meter has counted events, and invoices may depend on them, so its filter and
          aggregation can no longer change. You can create a new meter with another definition: it
          also counts the events that are already stored.
        </p>
        <div>
          <Link to="/meters/new" search={{ from: id }} className={buttonClass()}>
            Copy to a new meter
          </Link>
        </div>
      </Stack>
    </Card>
  );
}
