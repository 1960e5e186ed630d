/** By what usage is grouped, and which groups are shown: in the address, so that it has a link. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { ALL, type Choice } from '../grouping/groups';

export interface GroupingSearch {
  by?: readonly string[] | undefined;
  only?: readonly string[] | undefined;
  without?: readonly string[] | undefined;
}

/** What an address says of the grouping; anything else in its place is left out. */
export function readGroupingSearch(search: Record<string, unknown>): GroupingSearch {
  return Object.fromEntries(
    ['by', 'only', 'without'].flatMap((name) => {
      const texts = search[name];
      const isTexts = Array.isArray(texts) && texts.every((text) => typeof text === 'string');
      return isTexts && texts.length > 0 ? [[name, texts]] : [];
    }),
  );
}

export interface Grouping {
  by: readonly string[];
  choice: Choice;
  /** Groups by something else, of which all is shown. */
  setBy(by: readonly string[]): void;
  setChoice(choice: Choice): void;
}

export function useGrouping(): Grouping {
  const search = useSearch({ strict: false }) as Record<keyof GroupingSearch, unknown>;
  const [by, only, without] = [texts(search.by), texts(search.only), texts(search.without)];
  const navigate = useNavigate();
  const change = useCallback(
    (changes: GroupingSearch) => {
      navigate({
        to: '.',
        search: (old: object) => ({ ...old, only: undefined, without: undefined, ...changes }),
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return useMemo(
    () => ({
      by: by ?? [],
      choice: only ? { is: 'only', keys: only } : without ? { is: 'all but', keys: without } : ALL,
      setBy: (next) => change({ by: next.length > 0 ? next : undefined }),
      setChoice: ({ is, keys }) =>
        change(keys.length === 0 ? {} : { [is === 'only' ? 'only' : 'without']: keys }),
    }),
    [by, only, without, change],
  );
}

/** A link may have been edited by hand. */
function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? value
    : undefined;
}

/** What of a grouping applies to a meter with these dimensions: nothing, if it lacks one. */
export function groupedBy({ by }: Grouping, dimensions: readonly string[]): readonly string[] {
  return by.every((each) => dimensions.includes(each)) ? by : [];
}
