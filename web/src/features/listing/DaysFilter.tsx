import { TextField } from '../../ui/Field';
import styles from './Filters.module.css';
import { useFilters } from './filters';

/** First and last day of a list, in the address as `from` and `to`. */
export function DaysFilter() {
  const [{ from = '', to = '' }, change] = useFilters();
  return (
    <div className={styles.days}>
      <TextField
        label="From"
        type="date"
        value={from}
        max={to || undefined}
        onChange={(event) => change({ from: event.target.value })}
      />
      <TextField
        label="To"
        type="date"
        value={to}
        min={from || undefined}
        onChange={(event) => change({ to: event.target.value })}
      />
    </div>
  );
}
