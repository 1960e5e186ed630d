/** Choices of a form that keep what was chosen, with its name. */
import type { ComponentType } from 'react';
import { useController } from 'react-hook-form';
import type { Choice } from '../../ui/aria/Picker';

interface ChoosingProps {
  label: string;
  name: string;
  error?: string | undefined;
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
}

/** Binds a picker to a field; its value is a choice or null. */
export function Chosen({
  as: Picker,
  name,
  label,
}: {
  as: ComponentType<ChoosingProps>;
  name: string;
  label: string;
}) {
  const { field, fieldState } = useController({ name });
  return (
    <Picker
      name={name}
      label={label}
      error={fieldState.error?.message}
      chosen={field.value as Choice | null}
      onChoose={(choice) => field.onChange(choice)}
    />
  );
}
