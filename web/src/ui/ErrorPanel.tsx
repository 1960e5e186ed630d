import type { ReactNode } from 'react';
import type { Problem } from '../api/problems';
import { Button } from './Button';
import { classes } from './classes';
import styles from './Feedback.module.css';
import { Icon } from './Icon';

/** What went wrong, and what to do about it. */
export function ErrorPanel({
  problem,
  onRetry,
  action,
  inset = false,
}: {
  problem: Problem;
  onRetry?: () => void;
  /** What else one can do. */
  action?: ReactNode;
  inset?: boolean;
}) {
  const { title, advice, code, id } = problem;
  return (
    <div className={classes(styles.error, inset && styles.inset)} role="alert">
      <Icon name="warning" size={18} />
      <div>
        <strong>{title}</strong>
        <p>
          {advice} {id ? <code>{id}</code> : code && code !== 'FORBIDDEN' && <code>{code}</code>}
        </p>
      </div>
      {onRetry && (
        <Button small onClick={onRetry}>
          Try again
        </Button>
      )}
      {action}
    </div>
  );
}
