import { type ReactNode, useState } from 'react';
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

export interface Choice {
  key: string;
  title: string;
  /** What tells it from others of the same title. */
  detail?: string | undefined;
}

/** One of a list of things, found by typing a part of its name. */
export function Picker({
  label,
  name,
  hint,
  error,
  hideLabel = false,
  placeholder,
  choices,
  chosen,
  onChoose,
  onSearch,
  nothing = 'No match',
}: {
  label: string;
  name: string;
  hint?: ReactNode;
  error?: string | undefined;
  hideLabel?: boolean;
  placeholder?: string;
  choices: readonly Choice[];
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
  /** Finds them elsewhere; without it, the choices are all there are. */
  onSearch?: (text: string) => void;
  nothing?: string;
}) {
  const [text, setText] = useState(chosen?.title ?? '');
  const [shown, setShown] = useState(chosen);
  if (chosen?.key !== shown?.key || chosen?.title !== shown?.title) {
    setShown(chosen);
    setText(chosen?.title ?? '');
  }
  const items =
    chosen === null || choices.some(({ key }) => key === chosen.key)
      ? choices
      : [chosen, ...choices];
  return (
    <ComboBox
      className={fieldStyles.field ?? ''}
      items={items}
      inputValue={text}
      onInputChange={(next) => {
        setText(next);
        onSearch?.(next === chosen?.title ? '' : next);
      }}
      selectedKey={chosen?.key ?? null}
      onSelectionChange={(key) => onChoose(items.find((item) => item.key === key) ?? null)}
      {...(onSearch && { defaultFilter: () => true })}
      isInvalid={error !== undefined}
      // Opened by itself, the list would hide what is wrong.
      menuTrigger={error === undefined ? 'focus' : 'input'}
      allowsEmptyCollection
    >
      <Label className={hideLabel ? 'visually-hidden' : (fieldStyles.label ?? '')}>{label}</Label>
      <div className={styles.box}>
        <Input
          name={name}
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
        <ListBox<Choice> renderEmptyState={() => <div className={styles.nothing}>{nothing}</div>}>
          {({ key, title, detail }) => (
            <ListBoxItem id={key} textValue={title} className={styles.item ?? ''}>
              <span className={styles.choice}>
                <bdi>{title}</bdi>
                {detail && <bdi className={styles.detail}>{detail}</bdi>}
              </span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
