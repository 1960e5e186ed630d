import { useState } from 'react';
import { ComboBox, ListBox, ListBoxItem, useFilter } from 'react-aria-components';
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
  /** The choices do not fit the text yet. */
  isSearching?: boolean;
  nothing?: string;
}

/**
 * One of a list of things, found by typing a part of its name.
 *
 * What the input shows when it is left is what is chosen.
 */
export function Picker({
  choices,
  chosen,
  onChoose,
  onSearch,
  isSearching = false,
  nothing = 'No match',
  ...frame
}: PickerProps) {
  const { contains } = useFilter({ sensitivity: 'base' });
  const [text, setText] = useState(chosen?.title ?? '');
  const [shown, setShown] = useState(chosen);
  if (chosen?.key !== shown?.key || chosen?.title !== shown?.title) {
    setShown(chosen);
    setText(chosen?.title ?? '');
  }
  const all =
    chosen === null || choices.some(({ key }) => key === chosen.key)
      ? choices
      : [chosen, ...choices];
  // The answer to a search must not move what one is about to click.
  const items =
    isSearching && text !== chosen?.title
      ? all.filter(({ title, detail = '' }) => contains(`${title} ${detail}`, text.trim()))
      : all;

  function choose(next: Choice | null) {
    setText(next?.title ?? '');
    if (next?.key !== chosen?.key) {
      onChoose(next);
    }
  }
  const settle = () => choose(onlyNamed(items, text) ?? chosen);

  return (
    <ComboBox
      {...comboState(frame.error)}
      items={items}
      inputValue={text}
      onInputChange={(next) => {
        setText(next);
        onSearch?.(next === chosen?.title ? '' : next);
        if (next === '' && chosen !== null) {
          onChoose(null);
        }
      }}
      selectedKey={chosen?.key ?? null}
      onSelectionChange={(key) => {
        // The list also says so, with what was chosen before, when it closes because the page scrolls.
        const next = items.find((item) => item.key === key);
        if (next && next.key !== chosen?.key) {
          choose(next);
        }
      }}
      onBlur={settle}
      onKeyDown={(event) => event.key === 'Escape' && settle()}
      {...(onSearch && { defaultFilter: () => true })}
      allowsEmptyCollection
    >
      <ComboFrame {...frame}>
        <ListBox<Choice>
          renderEmptyState={() => (
            <div className={styles.nothing}>{isSearching ? 'Searching…' : nothing}</div>
          )}
        >
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

function onlyNamed(items: readonly Choice[], text: string): Choice | undefined {
  const found = items.filter(({ title }) => title === text.trim());
  return found.length === 1 ? found[0] : undefined;
}
