/** What pages are laid out with. */
import { type ReactNode, useId } from 'react';
import { classes } from './classes';
import styles from './Surface.module.css';

/** A part of a page, with a heading. */
export function Card({
  title,
  tools,
  flush = false,
  children,
}: {
  title?: string;
  tools?: ReactNode;
  /** Its content reaches the edges, as a table does. */
  flush?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  if (title === undefined) {
    return <section className={classes(styles.card, !flush && styles.padded)}>{children}</section>;
  }
  return (
    <section className={styles.card} aria-labelledby={id}>
      <header className={styles.head}>
        <h2 id={id}>{title}</h2>
        {tools && <div className={styles.tools}>{tools}</div>}
      </header>
      <div className={flush ? undefined : styles.body}>{children}</div>
    </section>
  );
}

export function Stack({ children }: { children: ReactNode }) {
  return <div className={styles.stack}>{children}</div>;
}

export function Columns({ children }: { children: ReactNode }) {
  return <div className={styles.columns}>{children}</div>;
}

export function Tools({ children }: { children: ReactNode }) {
  return <div className={styles.tools}>{children}</div>;
}

export function PageHead({
  title,
  badge,
  above,
  about,
  tools,
}: {
  title: ReactNode;
  badge?: ReactNode;
  /** Where this page is one of: a link. */
  above?: ReactNode;
  about?: ReactNode;
  tools?: ReactNode;
}) {
  return (
    <div className={styles.pageHead}>
      <div className={styles.pageTitle}>
        {above && <div className={classes(styles.crumb, 'screen-only')}>{above}</div>}
        <h1>
          <bdi>{title}</bdi>
          {badge}
        </h1>
        {about && <p className={styles.about}>{about}</p>}
      </div>
      {tools && <div className={classes(styles.tools, 'screen-only')}>{tools}</div>}
    </div>
  );
}

export function Figures({ children }: { children: ReactNode }) {
  return <dl className={styles.figures}>{children}</dl>;
}

/** One number that matters. */
export function Figure({
  label,
  children,
  note,
}: {
  label: string;
  children: ReactNode;
  note?: ReactNode;
}) {
  return (
    <div className={styles.figure}>
      <dt className={styles.figureLabel}>{label}</dt>
      <dd className={styles.figureValue}>{children}</dd>
      {note && <dd className={styles.figureNote}>{note}</dd>}
    </div>
  );
}

export function KeyValues({ children }: { children: ReactNode }) {
  return <dl className={styles.keys}>{children}</dl>;
}

export function KeyValue({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
