/** What the signed-in token may do. Pages offer nothing else. */
import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { Scope } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Skeleton } from '../../ui/Skeleton';
import { Card } from '../../ui/Surface';

const Permissions = graphql(`
  query Permissions {
    me {
      scopes
    }
  }
`);

export type Permission = 'yes' | 'no' | 'unknown';

/** Whether the token has one of the scopes. */
export function usePermission(...scopes: Scope[]): Permission {
  // Scopes of a token never change.
  const [{ data }] = useQuery({ query: Permissions, requestPolicy: 'cache-first' });
  if (data === undefined) {
    return 'unknown';
  }
  return data.me.scopes.some((each) => scopes.includes(each) || each === 'ADMIN') ? 'yes' : 'no';
}

/** Buttons and menus that need a scope. */
export function IfAllowed({ scope, children }: { scope: Scope; children: ReactNode }) {
  return usePermission(scope) === 'yes' && children;
}

/** A page that needs a scope; without it, it says which. */
export function Allowed({ scope, children }: { scope: Scope; children: ReactNode }) {
  const [{ error }, again] = useQuery({ query: Permissions, requestPolicy: 'cache-first' });
  const permission = usePermission(scope);
  if (permission === 'yes') {
    return children;
  }
  if (permission === 'no') {
    return (
      <Card flush>
        <Empty isPage title="Your token may not do this">
          It lacks the scope <code>{scope}</code>. Ask an administrator for a token that has it.
        </Empty>
      </Card>
    );
  }
  return error ? (
    <ErrorPanel
      problem={problemOf(error)}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    />
  ) : (
    <Card>
      <Skeleton width="100%" height="240px" />
    </Card>
  );
}
