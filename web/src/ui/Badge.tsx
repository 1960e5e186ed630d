import type { ReactNode } from 'react';
import { classes } from './classes';
import styles from './Feedback.module.css';

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent';

export function Badge({
  tone = 'neutral',
  dot = false,
  children,
}: {
  tone?: Tone;
  dot?: boolean;
  children: ReactNode;
}) {
  return (
    <span className={classes(styles.badge, tone !== 'neutral' && styles[tone])}>
      {dot && <span className={styles.dot} />}
      {children}
    </span>
  );
}
