/** Goes anywhere by name: Ctrl-K, or ⌘K. */
import { useNavigate } from '@tanstack/react-router';
import {
  type KeyboardEvent,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { PaletteQuery } from '../../api/generated/graphql';
import { Icon, type IconName } from '../../ui/Icon';
import { useFocusReturn } from '../../ui/useFocusReturn';
import { customerName } from '../customers/CustomerName';
import styles from './Palette.module.css';

const PaletteDocument = graphql(`
  query Palette($query: String!) {
    search(query: $query, first: 12) {
      __typename
      ... on Meter {
        id
        title: name
      }
      ... on Product {
        id
        title: name
      }
      ... on Customer {
        id
        externalId
        ...CustomerName_customer
      }
      ... on Invoice {
        id
        number
        customer {
          id
          ...CustomerName_customer
        }
      }
    }
  }
`);

type Result = PaletteQuery['search'][number];

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

export function Palette({ pages, onClose }: { pages: readonly PalettePage[]; onClose(): void }) {
  const [text, setText] = useState('');
  const [place, setPlace] = useState(0);
  const { found, isAnswered } = useFound(text, pages);
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const selected = Math.min(place, found.length - 1);

  useFocusReturn();
  // Closed before it is gone, so that the focus goes back to where it was.
  useLayoutEffect(() => {
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
          aria-label="Find a page, meter, customer, product or invoice"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[selected] && `${id}-${selected}`}
          placeholder="Find a page, meter, customer, product or invoice"
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
        {found.length === 0 && (
          <p className={styles.nothing}>
            {isAnswered ? `Nothing matches “${text}”.` : 'Searching…'}
          </p>
        )}
      </div>
    </dialog>
  );
}

/** What the text finds. Results of an earlier text are left out, so that Enter cannot open them. */
function useFound(
  text: string,
  pages: readonly PalettePage[],
): { found: Found[]; isAnswered: boolean } {
  const typed = text.trim();
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(setAsked, PAUSE, typed);
    return () => clearTimeout(timer);
  }, [typed]);
  const [{ data, operation }] = useQuery({
    query: PaletteDocument,
    variables: { query: asked },
    pause: asked === '',
  });
  const isAnswered = typed === '' || operation?.variables.query === typed;
  const found = useMemo(() => {
    const name = typed.toLowerCase();
    const results = typed === '' || !isAnswered || data === undefined ? [] : data.search;
    return [
      ...pages
        .filter((page) => page.name.toLowerCase().includes(name))
        .map(({ name, to, icon }) => ({ key: to, name, detail: 'Page', icon, to })),
      ...results.map(entry),
    ];
  }, [data, pages, typed, isAnswered]);
  return { found, isAnswered };
}

function entry(found: Result): Found {
  const at = (path: string) => ({ key: found.id, to: `/${path}/${encodeURIComponent(found.id)}` });
  switch (found.__typename) {
    case 'Meter':
      return { ...at('meters'), name: found.title, detail: 'Meter', icon: 'meters' };
    case 'Product':
      return { ...at('products'), name: found.title, detail: 'Product', icon: 'products' };
    case 'Invoice':
      return {
        ...at('invoices'),
        name: `${found.number}, ${customerName(found.customer)}`,
        detail: 'Invoice',
        icon: 'invoices',
      };
    case 'Customer': {
      const name = customerName(found);
      const id = found.externalId;
      return {
        ...at('customers'),
        name: id && id !== name ? `${name} (${id})` : name,
        detail: 'Customer',
        icon: 'customers',
      };
    }
  }
}
