import { classes } from '../classes';
import styles from './Chart.module.css';
import type { Look } from './look';

/** The look of a series, beside its name. */
export function Swatch({ look: { colour, texture } }: { look: Look }) {
  return (
    <span
      className={classes(
        styles.swatch,
        texture === 'stripes' && styles.swatchStripes,
        texture === 'dots' && styles.swatchDots,
      )}
      style={{ color: colour }}
    />
  );
}
