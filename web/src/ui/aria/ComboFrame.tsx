import type { ReactNode } from 'react';
import { Button, FieldError, Input, Label, Popover, Text } from 'react-aria-components';
import fieldStyles from '../Field.module.css';
import { Icon } from '../Icon';
import styles from './Popover.module.css';

export interface ComboFrameProps {
  label: string;
  /** That of its input. */
  name?: string | undefined;
  placeholder?: string | undefined;
  /** The label is for screen readers only, as in a tool bar. */
  hideLabel?: boolean | undefined;
  hint?: ReactNode;
  error?: string | undefined;
}

/** What is inside a combo box: its label, its input with a button, what is wrong, and its list. */
export function ComboFrame({
  label,
  name,
  placeholder,
  hideLabel,
  hint,
  error,
  children,
}: ComboFrameProps & { children: ReactNode }) {
  return (
    <>
      <Label className={hideLabel ? 'visually-hidden' : (fieldStyles.label ?? '')}>{label}</Label>
      <div className={styles.box}>
        <Input
          {...(name !== undefined && { name })}
          {...(placeholder !== undefined && { placeholder })}
          autoComplete="off"
          spellCheck={false}
          className={fieldStyles.input ?? ''}
        />
        <Button aria-label={`Show ${label.toLowerCase()}`}>
          <Icon name="chevron" size={14} />
        </Button>
      </div>
      {hint && (
        <Text slot="description" className={fieldStyles.hint ?? ''}>
          {hint}
        </Text>
      )}
      <FieldError className={fieldStyles.error ?? ''}>{error}</FieldError>
      <Popover className={styles.popover ?? ''}>{children}</Popover>
    </>
  );
}

/** What a combo box does with an error: opened by itself, the list would hide what is wrong. */
export function comboState(error: string | undefined) {
  return {
    className: fieldStyles.field ?? '',
    isInvalid: error !== undefined,
    menuTrigger: error === undefined ? ('focus' as const) : ('input' as const),
  };
}
