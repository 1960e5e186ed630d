import { useId } from 'react';
import { useController } from 'react-hook-form';
import styles from './Forms.module.css';

export interface RadioOption {
  value: string;
  label: string;
  /** What happens then. */
  about?: string;
}

/** A choice among few, each with what it means. */
export function RadioInput({
  name,
  label,
  options,
}: {
  name: string;
  label: string;
  options: readonly RadioOption[];
}) {
  const id = useId();
  const { field } = useController({ name });
  return (
    <div className={styles.radios} role="radiogroup" aria-labelledby={id}>
      <span id={id} className="visually-hidden">
        {label}
      </span>
      {options.map(({ value, label: title, about }) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            checked={field.value === value}
            onChange={() => field.onChange(value)}
          />
          <span>
            <strong>{title}</strong>
            {about && <span>{about}</span>}
          </span>
        </label>
      ))}
    </div>
  );
}
