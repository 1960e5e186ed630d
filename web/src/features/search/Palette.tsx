/** Goes anywhere by name: Ctrl-K, or ⌘K. */
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useQuery } from 'urql';
import { graphql, readFragment } from '../../api/generated';
import { Icon, type IconName } from '../../ui/Icon';
import { CustomerName_customer, customerName } from '../customers/CustomerName';
import styles from './Palette.module.css';

const PaletteDocument = graphql(`
  query Palette($query: String) {
    customers(first: 6, query: $query) {
      nodes {
        id
        ...CustomerName_customer
      }
    }
    meters(first: 100) {
      nodes {
        id
        name
      }
    }
    products(first: 100) {
      nodes {
        id
        name
      }
    }
  }
`);

export interface PalettePage {
  name: string;
  to: string;
  icon: IconName;
}

interface Found {
  key: string;
  name: string;
  detail: string;
  icon: IconName;
  to: string;
}

const PAUSE = 150;
const MOST = 12;

export function Palette({ pages, onClose }: { pages: readonly PalettePage[]; onClose(): void }) {
  const [text, setText] = useState('');
  const [place, setPlace] = useState(0);
  const found = useFound(text, pages);
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const selected = Math.min(place, found.length - 1);

  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  function go(to: string) {
    onClose();
    navigate({ to });
  }

  function onKeyDown(event: KeyboardEvent) {
    const target = found[selected];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setPlace((selected + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter' && target !== undefined) {
      event.preventDefault();
      go(target.to);
    }
  }

  return (
    <dialog
      ref={dialog}
      className={styles.palette}
      aria-label="Go to"
      onCancel={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={onKeyDown}
    >
      <div className={styles.box}>
        <Icon name="search" />
        <input
          className={styles.input}
          role="combobox"
          aria-label="Go to a page, customer, meter or product"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[selected] && `${id}-${selected}`}
          placeholder="Go to a page, customer, meter or product"
          value={text}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
            setPlace(0);
          }}
        />
      </div>
      <div className={styles.list} role="listbox" id={`${id}-list`} aria-label="Found">
        {found.map((each, nth) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys
          <div
            key={each.key}
            id={`${id}-${nth}`}
            className={styles.item}
            role="option"
            tabIndex={-1}
            aria-selected={nth === selected}
            onClick={() => go(each.to)}
            onPointerMove={() => setPlace(nth)}
          >
            <Icon name={each.icon} />
            <bdi>{each.name}</bdi>
            <span>{each.detail}</span>
          </div>
        ))}
        {found.length === 0 && <p className={styles.nothing}>Nothing matches “{text}”.</p>}
      </div>
    </dialog>
  );
}

function useFound(text: string, pages: readonly PalettePage[]): Found[] {
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(setAsked, PAUSE, text.trim());
    return () => clearTimeout(timer);
  }, [text]);
  const [{ data }] = useQuery({ query: PaletteDocument, variables: { query: asked || null } });
  return useMemo(() => {
    const matches = (name: string) => name.toLowerCase().includes(text.trim().toLowerCase());
    const entry =
      (icon: IconName, detail: string, path: string) => (each: { id: string; name: string }) => ({
        key: each.id,
        name: each.name,
        detail,
        icon,
        to: `/${path}/${encodeURIComponent(each.id)}`,
      });
    const customers = (data?.customers.nodes ?? []).map((customer) => ({
      id: customer.id,
      name: customerName(customer),
      other: readFragment(CustomerName_customer, customer).externalId ?? '',
    }));
    return [
      ...pages
        .map(({ name, to, icon }) => ({ key: to, name, detail: 'Page', icon, to }))
        .filter(({ name }) => matches(name)),
      ...(data?.meters.nodes ?? [])
        .filter(({ name }) => matches(name))
        .map(entry('meters', 'Meter', 'meters')),
      ...(data?.products.nodes ?? [])
        .filter(({ name }) => matches(name))
        .map(entry('products', 'Product', 'products')),
      ...customers
        .filter(({ name, other }) => matches(name) || matches(other))
        .map(entry('customers', 'Customer', 'customers')),
    ].slice(0, MOST);
  }, [data, pages, text]);
}
