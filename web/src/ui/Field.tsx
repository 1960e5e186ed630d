/** Inputs with their label, their hint and what is wrong, bound for whoever cannot see them. */
import { type ChangeEvent, type ComponentProps, type ReactNode, useId } from 'react';
import { classes } from './classes';
import styles from './Field.module.css';
import { Icon } from './Icon';

export interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What is wrong with it, as the API says. */
  error?: string | undefined;
  /** The label is for screen readers only, as in a table. */
  hideLabel?: boolean | undefined;
}

interface Bound {
  id: string;
  'aria-describedby'?: string | undefined;
  'aria-invalid'?: true | undefined;
}

/** Gives its child the attributes that bind label, hint and error to it. */
export function Field({
  label,
  hint,
  error,
  hideLabel,
  children,
}: FieldProps & { children: (bound: Bound) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={styles.field}>
      <label className={hideLabel ? 'visually-hidden' : styles.label} htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        ...(described && { 'aria-describedby': described }),
        ...(error && { 'aria-invalid': true as const }),
      })}
      {hint && (
        <div className={styles.hint} id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && <FieldError id={`${id}-error`}>{error}</FieldError>}
    </div>
  );
}

export function FieldError({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <div className={styles.error} id={id} role="alert">
      <Icon name="warning" size={13} />
      <span>{children}</span>
    </div>
  );
}

type InputProps = Omit<ComponentProps<'input'>, 'id'>;

export function TextField({ label, hint, error, hideLabel, ...input }: FieldProps & InputProps) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(bound) => <input className={styles.input} {...input} {...bound} />}
    </Field>
  );
}

/** A text of several lines, as tall as what is in it. */
export function TextArea({
  label,
  hint,
  error,
  hideLabel,
  isCode = false,
  ...area
}: FieldProps & Omit<ComponentProps<'textarea'>, 'id'> & { isCode?: boolean }) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(bound) => (
        <textarea
          className={classes(styles.input, styles.area, isCode && styles.codeArea)}
          {...area}
          {...bound}
        />
      )}
    </Field>
  );
}

export interface Option<Value extends string> {
  value: Value;
  label: string;
}

type SelectProps<Value extends string> = Omit<
  ComponentProps<'select'>,
  'id' | 'value' | 'onChange' | keyof Bound
> & { value: Value; options: readonly Option<Value>[]; onChange(value: Value): void };

function Select<Value extends string>({
  options,
  onChange,
  className,
  ...select
}: SelectProps<Value> & Partial<Bound> & { 'aria-label'?: string | undefined }) {
  return (
    <select
      {...select}
      className={classes(styles.input, className)}
      onChange={(event: ChangeEvent<HTMLSelectElement>) => {
        const chosen = options.find(({ value }) => value === event.target.value);
        if (chosen !== undefined) {
          onChange(chosen.value);
        }
      }}
    >
      {options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

export function SelectField<Value extends string>({
  label,
  hint,
  error,
  hideLabel,
  ...select
}: FieldProps & SelectProps<Value>) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(bound) => <Select {...select} {...bound} />}
    </Field>
  );
}

/** A select in a tool bar, whose label only screen readers need. */
export function ToolSelect<Value extends string>({
  label,
  ...select
}: { label: string } & SelectProps<Value>) {
  return <Select aria-label={label} className={styles.compact} {...select} />;
}

export function SearchInput({
  label,
  onChange,
  ...input
}: { label: string; onChange(text: string): void } & Omit<InputProps, 'onChange'>) {
  return (
    <div className={styles.search}>
      <Icon name="search" size={14} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        {...input}
        className={styles.input}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

export function Checkbox({
  label,
  hint,
  name,
  checked,
  onChange,
}: {
  label: string;
  hint?: string;
  name?: string;
  checked: boolean;
  onChange(checked: boolean): void;
}) {
  return (
    <label className={styles.check}>
      <input
        type="checkbox"
        name={name}
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {label}
        {hint && <span className={styles.checkHint}>{hint}</span>}
      </span>
    </label>
  );
}
