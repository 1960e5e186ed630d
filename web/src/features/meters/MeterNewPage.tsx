import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { PageHead, Stack } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { Allowed } from '../access/permissions';
import { PageForm } from '../forms/Form';
import { Loaded } from '../listing/Loaded';
import { DimensionFields } from './DimensionFields';
import { meterValues } from './editedMeter';
import { DefinitionFields, MeterBuilder, NameFields } from './MeterBuilder';
import { type MeterValues, newMeter } from './meterValues';
import { useMeterCreation } from './useMeterCreation';

const MeterToCopy = graphql(`
  query MeterToCopy($id: ID!) {
    meter(id: $id) {
      ...EditedMeter
    }
  }
`);

export function MeterNewPage() {
  const { from } = useSearch({ strict: false }) as { from?: string };
  return (
    <Allowed scope="METERS_WRITE">
      {from === undefined ? <NewMeter values={newMeter()} /> : <Copy id={from} />}
    </Allowed>
  );
}

/** Begins with the definition of another, which may be locked. */
function Copy({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: MeterToCopy, variables: { id } });
  return (
    <Loaded
      what="meter"
      value={data?.meter}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {(meter) => {
        const values = meterValues(meter);
        return <NewMeter key={id} values={{ ...values, name: `${values.name} (copy)` }} />;
      }}
    </Loaded>
  );
}

function NewMeter({ values }: { values: MeterValues }) {
  const navigate = useNavigate();
  const form = useForm({ defaultValues: values });
  const submission = useMeterCreation(form, (meter) => {
    showToast(`${meter.name} is created. It also counts the events that are already stored.`);
    navigate({ to: '/meters/$id', params: { id: meter.id } });
  });
  return (
    <Stack>
      <PageHead
        above={<Link to="/meters">Meters</Link>}
        title="New meter"
        about="It also counts the events that are already stored."
      />
      <PageForm
        form={form}
        submission={submission}
        action="Create meter"
        onCancel={() => navigate({ to: '/meters' })}
        layout={MeterBuilder}
      >
        <NameFields />
        <DefinitionFields />
        <DimensionFields />
      </PageForm>
    </Stack>
  );
}
