import type { CombinedError } from '@urql/core';
import type { ReactNode } from 'react';
import { problemOf } from '../../api/problems';
import { Empty } from '../../ui/Empty';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Skeleton } from '../../ui/Skeleton';
import { Card, PageHead, Stack } from '../../ui/Surface';

/** A page about one object: its skeleton, what went wrong, that there is none, or the page. */
export function Loaded<T>({
  what,
  value,
  error,
  onRetry,
  wayBack,
  nothing,
  children,
}: {
  /** Such as “meter”. */
  what: string;
  /** Undefined while it is on its way, null where there is none. */
  value: T | null | undefined;
  error: CombinedError | undefined;
  onRetry(): void;
  /** Leads away from nothing, where the page around it has no links. */
  wayBack?: ReactNode;
  /** What else may be the reason that there is none. */
  nothing?: ReactNode;
  children(value: T): ReactNode;
}) {
  if (value !== undefined && value !== null) {
    return (
      <Stack>
        {error && <ErrorPanel problem={problemOf(error)} onRetry={onRetry} />}
        {children(value)}
      </Stack>
    );
  }
  if (error !== undefined) {
    return <ErrorPanel problem={problemOf(error)} onRetry={onRetry} />;
  }
  if (value === null) {
    return (
      <Card flush>
        <Empty isPage title={`There is no such ${what}`} action={wayBack}>
          It may belong to another organization, or the link may be incomplete. {nothing}
        </Empty>
      </Card>
    );
  }
  return (
    <Stack>
      <PageHead
        above={<Skeleton width="5rem" />}
        title={<Skeleton width="14rem" />}
        about={<Skeleton width="20rem" />}
      />
      <Card>
        <Skeleton width="100%" height="240px" />
      </Card>
    </Stack>
  );
}
