import {
  Button,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Text,
} from 'react-aria-components';
import fieldStyles from '../Field.module.css';
import { Icon } from '../Icon';
import styles from './Popover.module.css';

export interface ComboboxProps {
  label: string;
  /** That of its input. */
  name?: string;
  placeholder?: string;
  /** The label is for screen readers only, as in a tool bar. */
  hideLabel?: boolean;
  hint?: string;
  error?: string | undefined;
  options: readonly string[];
  value: string;
  onChange(value: string): void;
  /** Also takes what is not in the list. */
  allowsOther?: boolean;
}

/** A text with suggestions. */
export function Combobox(props: ComboboxProps) {
  const {
    label,
    name,
    placeholder,
    hideLabel = false,
    hint,
    error,
    options,
    value,
    onChange,
    allowsOther,
  } = props;
  return (
    <ComboBox
      className={fieldStyles.field ?? ''}
      {...(allowsOther
        ? { inputValue: value, onInputChange: onChange, allowsCustomValue: true }
        : {
            defaultInputValue: value,
            selectedKey: value,
            onSelectionChange: (key) => {
              if (key !== null) {
                onChange(String(key));
              }
            },
          })}
      isInvalid={error !== undefined}
      // Opened by itself, the list would hide what is wrong.
      menuTrigger={error === undefined ? 'focus' : 'input'}
    >
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
      <Popover className={styles.popover ?? ''}>
        <ListBox renderEmptyState={() => <div className={styles.nothing}>No match</div>}>
          {options.map((option) => (
            <ListBoxItem key={option} id={option} textValue={option} className={styles.item ?? ''}>
              {option}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
