import { CopyButton } from './CopyButton';
import styles from './Feedback.module.css';

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.code}>
      <CopyButton text={text} label={`Copy ${label}`} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has a keyboard only can scroll it */}
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </div>
  );
}

/** An id, in a fixed-width face, with a button that copies it. */
export function Id({ value, label }: { value: string; label: string }) {
  return (
    <span>
      <code>{value}</code> <CopyButton text={value} label={`Copy ${label}`} />
    </span>
  );
}
