import type { CombinedError } from '@urql/core';
import { problemOf } from '../../api/problems';
import { ErrorPanel } from '../../ui/ErrorPanel';

/** What went wrong when a line was asked for. */
export function LineTrouble({
  error,
  again,
}: {
  error: CombinedError;
  again(options: { requestPolicy: 'network-only' }): void;
}) {
  return (
    <ErrorPanel
      problem={problemOf(error)}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    />
  );
}
