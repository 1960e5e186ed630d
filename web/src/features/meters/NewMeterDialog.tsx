import { useForm } from 'react-hook-form';
import { DialogForm } from '../forms/Form';
import { DimensionFields } from './DimensionFields';
import { DefinitionFields, MeterBuilder, NameFields } from './MeterBuilder';
import { newMeter } from './meterValues';
import { type CreatedMeter, useMeterCreation } from './useMeterCreation';

/** A meter made in the middle of something else. */
export function NewMeterDialog({
  onCreated,
  onClose,
}: {
  onCreated(meter: CreatedMeter): void;
  onClose(): void;
}) {
  const form = useForm({ defaultValues: newMeter() });
  const submission = useMeterCreation(form, (meter) => {
    onCreated(meter);
    onClose();
  });
  return (
    <DialogForm
      title="New meter"
      form={form}
      submission={submission}
      action="Create meter"
      onCancel={onClose}
      isWide
    >
      <MeterBuilder>
        <NameFields />
        <DefinitionFields />
        <DimensionFields />
      </MeterBuilder>
    </DialogForm>
  );
}
