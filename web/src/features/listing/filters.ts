/** Filters of lists. They are in the address, so that every list has a link. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Filters = Record<string, string | undefined>;

/** What the address says, and how to change it; an empty text takes a filter away. */
export function useFilters(): [Filters, (changes: Filters) => void] {
  const filters = useSearch({ strict: false }) as Filters;
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Filters) => {
      const set = Object.fromEntries(
        Object.entries(changes).map(([name, value]) => [name, value || undefined]),
      );
      navigate({ to: '.', search: (old: object) => ({ ...old, ...set }), replace: true });
    },
    [navigate],
  );
  return [filters, change];
}
