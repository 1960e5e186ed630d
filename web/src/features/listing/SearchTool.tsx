import { useEffect, useState } from 'react';
import { SearchInput } from '../../ui/Field';
import { useFilters } from './filters';

/** Nothing is asked for until one stops typing. */
const PAUSE = 250;

/** The text of a list’s query, in the address as `q`. */
export function SearchTool({ label }: { label: string }) {
  const [{ q = '' }, change] = useFilters();
  const [text, setText] = useState(q);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text !== q) {
        change({ q: text });
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text, q, change]);
  return <SearchInput label={label} value={text} onChange={setText} />;
}
