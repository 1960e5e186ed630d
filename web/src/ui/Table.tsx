/** Dense tables whose numbers are aligned. */
import { memo, type ReactNode } from 'react';
import { Button } from './Button';
import { classes } from './classes';
import { Skeleton } from './Skeleton';
import styles from './Table.module.css';

export interface Column<Row> {
  /** What stands above it; unique in its table. */
  title: string;
  /** Only screen readers need the title. */
  hidesTitle?: boolean;
  /** Aligned at its end. */
  isNumber?: boolean;
  /** The one that names the row. */
  isName?: boolean;
  nowrap?: boolean;
  /** Shown in full, however long; others take a few lines at most. */
  isWhole?: boolean;
  /** Left out where the screen is narrow: the page about the row has it. */
  isMinor?: boolean;
  cell(row: Row): ReactNode;
  /** What stands below it, such as a sum. */
  foot?: ReactNode;
}

export interface TableProps<Row> {
  /** What it lists, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Instead of rows, while there are none. */
  empty?: ReactNode;
  /** The first rows are on their way. */
  loading?: boolean;
  more?: More | undefined;
}

export interface More {
  busy: boolean;
  load(): void;
}

const PLACEHOLDERS = 6;

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, keyOf, empty, loading = false, more } = props;
  if (!loading && rows.length === 0 && empty !== undefined) {
    return empty;
  }
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: it is no set of fields */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has a keyboard only can scroll it */}
      <div role="group" className={styles.scroller} aria-label={label} tabIndex={0}>
        <table className={styles.table} aria-busy={loading || undefined}>
          <caption className="visually-hidden">{label}</caption>
          <thead>
            <tr>
              {columns.map(({ title, hidesTitle, isNumber, isMinor }) => (
                <th
                  key={title}
                  scope="col"
                  className={classes(isNumber && styles.number, isMinor && styles.minor)}
                >
                  {hidesTitle ? <span className="visually-hidden">{title}</span> : title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={keyOf(row)} row={row} columns={columns as readonly Column<unknown>[]} />
            ))}
            {loading && rows.length === 0 && <Placeholders columns={columns} />}
          </tbody>
          {columns.some(({ foot }) => foot !== undefined) && (
            <tfoot>
              <tr>
                {columns.map((column) => (
                  <Cell key={column.title} column={column}>
                    {column.foot}
                  </Cell>
                ))}
              </tr>
            </tfoot>
          )}
        </table>
      </div>
      {more && (
        <div className={styles.more}>
          <Button small busy={more.busy} onClick={more.load}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** Drawn again when its object has changed, not when others come and go. */
const Row = memo(function Row({
  row,
  columns,
}: {
  row: unknown;
  columns: readonly Column<unknown>[];
}) {
  return (
    <tr>
      {columns.map((column) => (
        <Cell key={column.title} column={column}>
          {column.cell(row)}
        </Cell>
      ))}
    </tr>
  );
});

function Cell<Row>({
  column,
  isPlaceholder = false,
  children,
}: {
  column: Column<Row>;
  isPlaceholder?: boolean;
  children: ReactNode;
}) {
  const name = classes(
    column.isNumber && styles.number,
    column.isName && styles.wide,
    column.nowrap && styles.nowrap,
    column.isMinor && styles.minor,
  );
  const isWhole = column.isNumber || column.isWhole;
  const content = isWhole ? children : <div className={styles.clamped}>{children}</div>;
  return column.isName && !isPlaceholder ? (
    <th scope="row" className={name}>
      {content}
    </th>
  ) : (
    <td className={name}>{content}</td>
  );
}

function Placeholders<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return Array.from({ length: PLACEHOLDERS }, (_row, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are nothing but their place
    <tr key={index}>
      {columns.map((column) => (
        <Cell key={column.title} column={column} isPlaceholder>
          <Skeleton width={column.isName ? '60%' : '5rem'} />
        </Cell>
      ))}
    </tr>
  ));
}
