import { lazy, Suspense, useState } from 'react';
import { Button } from '../../ui/Button';
import { IfAllowed } from '../access/permissions';

const AlertNewDialog = lazy(async () => ({
  default: (await import('./AlertDialogs')).AlertNewDialog,
}));

export interface WatchedMeter {
  id: string;
  name: string;
  unit?: string | null;
}

/** Opens the form for an alert, of the page’s meter if there is one. */
export function NewAlert({
  meter = null,
  look,
  onCreated,
}: {
  meter?: WatchedMeter | null;
  look?: 'primary';
  onCreated?(): void;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <IfAllowed scope="ALERTS_WRITE">
      <Button {...(look && { look })} small={look === undefined} onClick={() => setOpen(true)}>
        New alert
      </Button>
      <Suspense>
        {isOpen && (
          <AlertNewDialog
            meter={meter}
            onDone={() => onCreated?.()}
            onClose={() => setOpen(false)}
          />
        )}
      </Suspense>
    </IfAllowed>
  );
}
