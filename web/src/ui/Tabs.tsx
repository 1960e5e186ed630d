import { type KeyboardEvent, type ReactNode, useId, useRef } from 'react';
import styles from './Tabs.module.css';

export interface Tab<Key extends string> {
  key: Key;
  title: string;
}

/** Parts of a page, one at a time. Arrow keys go from one to the next. */
export function Tabs<Key extends string>({
  label,
  tabs,
  selected,
  onSelect,
  children,
}: {
  label: string;
  tabs: readonly Tab<Key>[];
  selected: Key;
  onSelect: (key: NoInfer<Key>) => void;
  /** The selected part. */
  children: ReactNode;
}) {
  const id = useId();
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);

  function step(event: KeyboardEvent, place: number) {
    const moves: Record<string, number> = {
      ArrowLeft: place - 1,
      ArrowRight: place + 1,
      Home: 0,
      End: tabs.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined) {
      return;
    }
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    const tab = tabs[next];
    if (tab !== undefined) {
      onSelect(tab.key);
      buttons.current[next]?.focus();
    }
  }

  return (
    <div>
      <div className={styles.tabs} role="tablist" aria-label={label}>
        {tabs.map(({ key, title }, place) => (
          <button
            key={key}
            ref={(element) => {
              buttons.current[place] = element;
            }}
            type="button"
            role="tab"
            id={`${id}-${key}`}
            aria-selected={key === selected}
            aria-controls={`${id}-panel`}
            tabIndex={key === selected ? 0 : -1}
            onClick={() => onSelect(key)}
            onKeyDown={(event) => step(event, place)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        className={styles.panel}
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${selected}`}
      >
        {children}
      </div>
    </div>
  );
}

/** One of a few views of the same thing. */
export function Segments<Key extends string>({
  label,
  options,
  selected,
  onSelect,
}: {
  label: string;
  options: readonly Tab<Key>[];
  selected: Key;
  onSelect: (key: NoInfer<Key>) => void;
}) {
  const name = useId();
  return (
    <div className={styles.segments} role="radiogroup" aria-label={label}>
      {options.map(({ key, title }) => (
        <label key={key}>
          <input
            className="visually-hidden"
            type="radio"
            name={name}
            checked={key === selected}
            onChange={() => onSelect(key)}
          />
          {title}
        </label>
      ))}
    </div>
  );
}
