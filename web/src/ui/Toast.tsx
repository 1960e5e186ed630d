/** Short notes that something was done; they go away by themselves. */
import { useEffect, useSyncExternalStore } from 'react';
import { Button } from './Button';
import { classes } from './classes';
import styles from './Feedback.module.css';
import { Icon } from './Icon';

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

const SHOWN_FOR = 6000;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) {
    listener();
  }
}

export function showToast(text: string, isBad = false): void {
  lastId += 1;
  change([...toasts.slice(-3), { id: lastId, text, isBad }]);
}

function hideToast(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

/** Where toasts are shown: once a page. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {shown.map((toast) => (
        <ToastItem key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastItem({ toast: { id, text, isBad } }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(hideToast, SHOWN_FOR, id);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div className={classes(styles.toast, isBad && styles.toastBad)}>
      <Icon name={isBad ? 'warning' : 'check'} />
      <span>{text}</span>
      <Button look="quiet" small iconOnly aria-label="Dismiss" onClick={() => hideToast(id)}>
        <Icon name="close" size={14} />
      </Button>
    </div>
  );
}
