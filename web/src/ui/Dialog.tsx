import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Button } from './Button';
import { classes } from './classes';
import styles from './Dialog.module.css';
import { Icon } from './Icon';
import { useFocusReturn } from './useFocusReturn';

/** A question or a form before everything else. The browser keeps the focus in it. */
export function Dialog({
  title,
  actions,
  wide = false,
  onClose,
  children,
}: {
  title: string;
  actions?: ReactNode;
  /** Has a table. */
  wide?: boolean;
  onClose(): void;
  children: ReactNode;
}) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useFocusReturn();
  // Closed before it is gone, so that the focus goes back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // A form begins with its first field, not with the button that closes it.
    element?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={classes(styles.dialog, wide && styles.wide)}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className={styles.head}>
        <h2 id={id}>{title}</h2>
        <Button look="quiet" small iconOnly aria-label="Close" onClick={onClose}>
          <Icon name="close" size={14} />
        </Button>
      </header>
      <div className={styles.body}>{children}</div>
      {actions && <footer className={styles.foot}>{actions}</footer>}
    </dialog>
  );
}
