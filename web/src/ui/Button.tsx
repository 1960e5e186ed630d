import type { ButtonHTMLAttributes } from 'react';
import styles from './Button.module.css';
import { classes } from './classes';

export type ButtonLook = 'normal' | 'primary' | 'danger' | 'quiet';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: ButtonLook;
  small?: boolean;
  /** What it does is under way: it says so, and takes no second click. */
  busy?: boolean;
  /** Its only content is an icon; give it an aria-label. */
  iconOnly?: boolean;
}

export function Button({
  look = 'normal',
  small = false,
  busy = false,
  iconOnly = false,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classes(buttonClass({ look, small, iconOnly }), className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy && <span className={styles.spinner} />}
      {children}
    </button>
  );
}

/** For links that look like buttons. */
export function buttonClass({
  look = 'normal',
  small = false,
  iconOnly = false,
}: Pick<ButtonProps, 'look' | 'small' | 'iconOnly'> = {}): string {
  return classes(
    styles.button,
    look !== 'normal' && styles[look],
    small && styles.small,
    iconOnly && styles.iconOnly,
  );
}
