import { lazy, Suspense, useState } from 'react';
import { Button } from '../../ui/Button';
import type { RevocableToken } from './RevokeDialog';

const TokenDialog = lazy(async () => ({ default: (await import('./TokenDialog')).TokenDialog }));
const RevokeDialog = lazy(async () => ({ default: (await import('./RevokeDialog')).RevokeDialog }));

export function NewToken({ onCreated }: { onCreated(): void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        New token
      </Button>
      <Suspense>
        {isOpen && <TokenDialog onCreated={onCreated} onClose={() => setOpen(false)} />}
      </Suspense>
    </>
  );
}

export function RevokeToken({ token, isOwn }: { token: RevocableToken; isOwn: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button small aria-label={`Revoke ${token.name}`} onClick={() => setOpen(true)}>
        Revoke
      </Button>
      <Suspense>
        {isOpen && <RevokeDialog token={token} isOwn={isOwn} onClose={() => setOpen(false)} />}
      </Suspense>
    </>
  );
}
