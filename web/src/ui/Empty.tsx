import type { ReactNode } from 'react';
import styles from './Feedback.module.css';

/** Says what would be here, and how the first one is made. As a whole page, its title is the heading. */
export function Empty({
  title,
  isPage = false,
  children,
  action,
}: {
  title: string;
  isPage?: boolean;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const Title = isPage ? 'h1' : 'p';
  return (
    <div className={styles.empty}>
      <Title className={styles.emptyTitle}>{title}</Title>
      {children && <p>{children}</p>}
      {action && <div className={styles.emptyAction}>{action}</div>}
    </div>
  );
}
