import styles from './Feedback.module.css';

/** Takes the place of a text that is on its way. */
export function Skeleton({ width = '100%', height }: { width?: string; height?: string }) {
  return <span className={styles.skeleton} style={{ width, height }} aria-hidden="true" />;
}
