import { CopyButton } from './CopyButton';
import styles from './Feedback.module.css';

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.code}>
      <CopyButton text={text} label={`Copy ${label}`} />
      {/* biome-ignore lint/a11y/useSemanticElements: it is no set of fields */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has a keyboard only can scroll it */}
      <div role="group" tabIndex={0} aria-label={label}>
        <pre>{text}</pre>
      </div>
    </div>
  );
}

/** An id, in a fixed-width face, with a button that copies it. */
export function Id({ value, label }: { value: string; label: string }) {
  return (
    <span className={styles.id}>
      <code>{value}</code>
      <CopyButton text={value} label={`Copy ${label}`} />
    </span>
  );
}
