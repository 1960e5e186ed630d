import { useState } from 'react';
import { ComboBox, ListBox, ListBoxItem } from 'react-aria-components';
import { ComboFrame, type ComboFrameProps, comboState } from './ComboFrame';
import styles from './Popover.module.css';

export interface Choice {
  key: string;
  title: string;
  /** What tells it from others of the same title. */
  detail?: string | undefined;
}

interface PickerProps extends ComboFrameProps {
  choices: readonly Choice[];
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
  /** Finds them elsewhere; without it, the choices are all there are. */
  onSearch?: (text: string) => void;
  nothing?: string;
}

/** One of a list of things, found by typing a part of its name. */
export function Picker({
  choices,
  chosen,
  onChoose,
  onSearch,
  nothing = 'No match',
  ...frame
}: PickerProps) {
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
      {...comboState(frame.error)}
      items={items}
      inputValue={text}
      onInputChange={(next) => {
        setText(next);
        onSearch?.(next === chosen?.title ? '' : next);
      }}
      selectedKey={chosen?.key ?? null}
      onSelectionChange={(key) => onChoose(items.find((item) => item.key === key) ?? null)}
      {...(onSearch && { defaultFilter: () => true })}
      allowsEmptyCollection
    >
      <ComboFrame {...frame}>
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
      </ComboFrame>
    </ComboBox>
  );
}
