import { useMemo, useState } from 'react';
import { createApi } from './client';
import type { PageName } from './page';

/** The client of a page. After a restore of the database, another one with an empty cache. */
export function useApi(page: PageName, onSignedOut: () => void) {
  const [restores, setRestores] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each restore needs another client
  return useMemo(
    () => createApi({ page, onSignedOut, onRestored: () => setRestores((count) => count + 1) }),
    [page, onSignedOut, restores],
  );
}
