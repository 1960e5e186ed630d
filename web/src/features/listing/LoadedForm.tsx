import { useParams } from '@tanstack/react-router';
import type { TypedDocumentNode } from '@urql/core';
import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import type { Scope } from '../../api/generated/graphql';
import { Allowed } from '../access/permissions';
import { Loaded } from './Loaded';

/** A page that changes the object in its address: it needs a scope, and the object as it is. */
export function LoadedForm<Data, T>({
  scope,
  what,
  query,
  found,
  children,
}: {
  scope: Scope;
  /** Such as “meter”. */
  what: string;
  query: TypedDocumentNode<Data, { id: string }>;
  found(data: Data): T | null;
  children(value: T): ReactNode;
}) {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query, variables: { id } });
  return (
    <Allowed scope={scope}>
      <Loaded
        // Another object has a form of its own.
        key={id}
        what={what}
        value={data && found(data)}
        error={error}
        onRetry={() => again({ requestPolicy: 'network-only' })}
      >
        {children}
      </Loaded>
    </Allowed>
  );
}
