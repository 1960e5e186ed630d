import { CopyButton } from '../../ui/CopyButton';
import styles from './Forms.module.css';

/** What is shown once, to be copied. */
export function Secret({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: it groups no inputs
    <div className={styles.secret} role="group" aria-label={label}>
      <code>{text}</code>
      <CopyButton text={text} label={`Copy ${label}`} />
    </div>
  );
}
