import { lazy, Suspense } from 'react';
import { useChanges } from '../../api/changes';
import { Card } from '../../ui/Surface';
import { IfAllowed } from '../access/permissions';

const HistoryList = lazy(async () => ({ default: (await import('./HistoryList')).HistoryList }));

/** Who changed an object, for those who may read the audit log. */
export function History({ id }: { id: string }) {
  const changes = useChanges();
  return (
    <IfAllowed scope="AUDIT_READ">
      <Card title="History" flush>
        <Suspense>
          <HistoryList key={changes} id={id} />
        </Suspense>
      </Card>
    </IfAllowed>
  );
}
