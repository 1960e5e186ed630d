import { ComboBox, ListBox, ListBoxItem } from 'react-aria-components';
import { ComboFrame, type ComboFrameProps, comboState } from './ComboFrame';
import styles from './Popover.module.css';

export interface ComboboxProps extends ComboFrameProps {
  options: readonly string[];
  value: string;
  onChange(value: string): void;
  /** Also takes what is not in the list. */
  allowsOther?: boolean;
}

/** A text with suggestions. */
export function Combobox({ options, value, onChange, allowsOther, ...frame }: ComboboxProps) {
  return (
    <ComboBox
      {...comboState(frame.error)}
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
    >
      <ComboFrame {...frame}>
        <ListBox renderEmptyState={() => <div className={styles.nothing}>No match</div>}>
          {options.map((option) => (
            <ListBoxItem key={option} id={option} textValue={option} className={styles.item ?? ''}>
              {option}
            </ListBoxItem>
          ))}
        </ListBox>
      </ComboFrame>
    </ComboBox>
  );
}
