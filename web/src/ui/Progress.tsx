import { classes } from './classes';
import styles from './Feedback.module.css';

/** A share of a whole. Say both beside it: the bar alone shows no numbers. */
export function Progress({
  label,
  value,
  tone,
}: {
  label: string;
  /** 0 to 1. */
  value: number;
  tone?: 'warn' | 'bad' | undefined;
}) {
  return (
    <span
      className={classes(
        styles.progress,
        tone === 'warn' && styles.progressWarn,
        tone === 'bad' && styles.progressBad,
      )}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value * 100)}
    >
      <span style={{ width: `${value * 100}%` }} />
    </span>
  );
}
