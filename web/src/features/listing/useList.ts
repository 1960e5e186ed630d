/** Lists that grow by a page at a time. The cache joins the pages. */
import type { TypedDocumentNode } from '@urql/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import { type Problem, problemOf } from '../../api/problems';
import type { More } from '../../ui/Table';

export const PAGE = 50;

export interface Connection<Node> {
  nodes: readonly Node[];
  pageInfo: {
    hasNextPage?: boolean;
    endCursor?: string | null;
    hasPreviousPage?: boolean;
    startCursor?: string | null;
  };
}

export interface List<Data, Node> {
  /** All that was answered, for what is beside the list. */
  data: Data | undefined;
  rows: readonly Node[];
  loading: boolean;
  problem: Problem | null;
  more: More | undefined;
  retry(): void;
}

export interface ListOptions<Data, Variables, Node> {
  query: TypedDocumentNode<Data, Variables>;
  /** Without `after` or `before`, which are the list's. */
  variables: Omit<Variables, 'after' | 'before'>;
  connection(data: Data): Connection<Node> | null | undefined;
  /** The API has it oldest first: shows the end, newest first, and goes on backwards. */
  newestFirst?: boolean;
}

export function useList<Data, Variables extends object, Node>({
  query,
  variables,
  connection,
  newestFirst = false,
}: ListOptions<Data, Variables, Node>): List<Data, Node> {
  const question = JSON.stringify(variables);
  const [place, setPlace] = useState({ question, cursor: null as string | null });
  // Another question begins at its first page.
  const cursor = place.question === question ? place.cursor : null;
  const argument = newestFirst ? 'before' : 'after';
  const [{ data, fetching, stale, error }, again] = useQuery<Data, object>({
    query: query as TypedDocumentNode<Data, object>,
    variables: { ...variables, ...(cursor !== null && { [argument]: cursor }) },
  });
  const found = data && connection(data);
  const { hasMore, next } = follower(found?.pageInfo, newestFirst);
  const rows = found?.nodes ?? [];
  const isMoving = fetching || stale;
  return {
    data,
    rows: newestFirst ? [...rows].reverse() : rows,
    loading: data === undefined && error === undefined,
    problem: error === undefined ? null : problemOf(error),
    more:
      (hasMore && next) || (cursor !== null && isMoving)
        ? { busy: isMoving, load: () => next && setPlace({ question, cursor: next }) }
        : undefined,
    retry: () => again({ requestPolicy: 'network-only' }),
  };
}

function follower(pageInfo: Connection<unknown>['pageInfo'] | undefined, newestFirst: boolean) {
  return newestFirst
    ? { hasMore: pageInfo?.hasPreviousPage ?? false, next: pageInfo?.startCursor ?? null }
    : { hasMore: pageInfo?.hasNextPage ?? false, next: pageInfo?.endCursor ?? null };
}
