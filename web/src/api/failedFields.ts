/** Keeps the cache from taking a field that failed for one that is null. */
import type { OperationResult } from '@urql/core';

/**
 * Makes each error name the field that is null because of it. A field that must not be null makes its
 * parent null; the cache, which looks for an error of just that field, would keep that there is none.
 */
export function nameFailedFields(result: OperationResult): void {
  for (const error of result.error?.graphQLErrors ?? []) {
    let value = result.data;
    const depth = error.path?.findIndex((key) => {
      value = value?.[key];
      return value == null;
    });
    if (depth !== undefined && depth >= 0) {
      Object.assign(error, { path: error.path?.slice(0, depth + 1) });
    }
  }
}
