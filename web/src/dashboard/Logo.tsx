import styles from './Shell.module.css';

export function Logo() {
  return (
    <span className={styles.logo}>
      <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="var(--accent-fill)" />
        <path
          d="M8 22v-6M13.3 22V10M18.7 22v-9M24 22V8"
          stroke="#fff"
          strokeWidth="3"
          strokeLinecap="round"
        />
      </svg>
      Metergraph
    </span>
  );
}
