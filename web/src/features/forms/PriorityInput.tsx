import { TextInput } from './fields';

/** The priority of credit: which is used first. */
export function PriorityInput() {
  return (
    <TextInput
      name="priority"
      label="Priority"
      hint="Units with a lower number are used first."
      inputMode="numeric"
      autoComplete="off"
      placeholder="50"
    />
  );
}
