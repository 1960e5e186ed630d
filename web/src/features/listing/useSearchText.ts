import { useState } from 'react';
import { useSettled } from '../../ui/useSettled';

/** Nothing is asked for until one stops typing. */
const PAUSE = 200;

/** What a picker searches for on the server. */
export function useSearchText() {
  const [text, setText] = useState('');
  const settled = useSettled(text.trim(), PAUSE);
  return {
    /** For the query; null for all. */
    query: settled || null,
    isTyping: settled !== text.trim(),
    onSearch: setText,
  };
}
