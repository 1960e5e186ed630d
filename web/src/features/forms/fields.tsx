/** Inputs of the form around them, by their names, which are those of the API's input. */
import { type ComponentProps, type ReactNode, useState } from 'react';
import { get, useController, useFormState } from 'react-hook-form';
import { Combobox } from '../../ui/aria/Combobox';
import {
  Checkbox,
  FieldError,
  type Option,
  SelectField,
  TextArea,
  TextField,
} from '../../ui/Field';
import styles from './Forms.module.css';

interface Named {
  name: string;
  label: string;
  hint?: ReactNode;
  hideLabel?: boolean;
}

type Extra<Props> = Omit<Props, keyof Named | 'error' | 'value' | 'onChange' | 'onBlur' | 'ref'>;

export function TextInput({ name, ...rest }: Named & Extra<ComponentProps<typeof TextField>>) {
  const { field, fieldState } = useController({ name });
  return <TextField {...rest} {...field} error={fieldState.error?.message} />;
}

export function AreaInput({ name, ...rest }: Named & Extra<ComponentProps<typeof TextArea>>) {
  const { field, fieldState } = useController({ name });
  return <TextArea {...rest} {...field} error={fieldState.error?.message} />;
}

export function ChoiceInput<Value extends string>({
  name,
  options,
  ...rest
}: Named & { options: readonly Option<Value>[] }) {
  const { field, fieldState } = useController({ name });
  return (
    <SelectField<Value>
      {...rest}
      {...field}
      options={options}
      error={fieldState.error?.message}
      onChange={(value) => field.onChange(value)}
    />
  );
}

export function CheckInput({ name, label, hint }: { name: string; label: string; hint?: string }) {
  const { field } = useController({ name });
  return (
    <Checkbox
      name={name}
      label={label}
      {...(hint !== undefined && { hint })}
      checked={field.value === true}
      onChange={(checked) => field.onChange(checked)}
    />
  );
}

/** A text with suggestions. */
export function SuggestedInput({
  name,
  label,
  hideLabel,
  hint,
  placeholder,
  options,
}: {
  name: string;
  label: string;
  hideLabel?: boolean;
  hint?: string;
  placeholder?: string;
  options: readonly string[];
}) {
  const { field, fieldState } = useController({ name });
  return (
    <Combobox
      name={name}
      label={label}
      {...(hideLabel && { hideLabel })}
      {...(hint !== undefined && { hint })}
      {...(placeholder !== undefined && { placeholder })}
      error={fieldState.error?.message}
      options={options}
      value={field.value as string}
      onChange={(value) => field.onChange(value)}
      allowsOther
    />
  );
}

/** Inputs beside each other, where there is room. */
export function Row({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}

/** Inputs that few need, folded away; open where something in one of them is wrong. */
export function Fold({
  title,
  names,
  children,
}: {
  title: string;
  /** Of its inputs. */
  names: readonly string[];
  children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const { errors } = useFormState({ name: [...names] });
  return (
    <details
      className={styles.fold}
      open={isOpen || names.some((name) => get(errors, name) !== undefined)}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{title}</summary>
      <div>{children}</div>
    </details>
  );
}

/** What is wrong with several inputs together, beside them. Give their element `data-field`. */
export function FieldMessage({ name }: { name: string }) {
  const { errors } = useFormState({ name });
  const message: unknown = (get(errors, name) as { message?: unknown } | undefined)?.message;
  return (
    typeof message === 'string' && (
      <div data-form-error tabIndex={-1} className={styles.refused}>
        <FieldError>{message}</FieldError>
      </div>
    )
  );
}
