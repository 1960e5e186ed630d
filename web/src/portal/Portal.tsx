import { useCallback, useEffect, useState } from 'react';
import { Provider } from 'urql';
import type { Problem } from '../api/problems';
import { requester } from '../api/requests';
import { openSession, takeTokenFromAddress } from '../api/session';
import { useApi } from '../api/useApi';
import { browserZone } from '../format/zones';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Card } from '../ui/Surface';
import { Toasts } from '../ui/Toast';
import { ZoneContext } from '../ui/zone';
import { CustomerPortal } from './CustomerPortal';
import styles from './Portal.module.css';

type Access =
  | { state: 'opening'; token: string }
  | { state: 'in' }
  | { state: 'ended' }
  | { state: 'failed'; token: string; problem: Problem };

const request = requester('portal');

function firstAccess(): Access {
  const token = takeTokenFromAddress();
  return token === null ? { state: 'in' } : { state: 'opening', token };
}

/** One customer's page. A link with #token=mg_… opens it, and its session lasts as long as the token. */
export function Portal() {
  const [access, setAccess] = useState(firstAccess);
  useEffect(() => {
    if (access.state !== 'opening') {
      return undefined;
    }
    const { token } = access;
    let isCurrent = true;
    openSession(request, token).then((problem) => {
      if (isCurrent) {
        setAccess(afterOpening(token, problem));
      }
    });
    return () => {
      isCurrent = false;
    };
  }, [access]);
  useEffect(() => {
    // A link that is opened in a tab with this page changes only what follows #.
    const onLink = () => {
      const token = takeTokenFromAddress();
      if (token !== null) {
        setAccess({ state: 'opening', token });
      }
    };
    addEventListener('hashchange', onLink);
    return () => removeEventListener('hashchange', onLink);
  }, []);
  const onSignedOut = useCallback(() => setAccess({ state: 'ended' }), []);
  return (
    <ZoneContext value={browserZone()}>
      <main className={styles.page}>
        {access.state === 'in' && <Signed onSignedOut={onSignedOut} />}
        {access.state === 'ended' && <Ended />}
        {access.state === 'failed' && (
          <ErrorPanel
            problem={access.problem}
            onRetry={() => setAccess({ state: 'opening', token: access.token })}
          />
        )}
      </main>
      <Toasts />
    </ZoneContext>
  );
}

function afterOpening(token: string, problem: Problem | null): Access {
  if (problem === null) {
    return { state: 'in' };
  }
  return problem.kind === 'signed-out' ? { state: 'ended' } : { state: 'failed', token, problem };
}

function Signed({ onSignedOut }: { onSignedOut(): void }) {
  const client = useApi('portal', onSignedOut);
  return (
    <Provider value={client}>
      <CustomerPortal onEnded={onSignedOut} />
    </Provider>
  );
}

function Ended() {
  return (
    <Card flush>
      <Empty isPage title="This link has expired">
        Links to this page work for a short time. Ask for a new one where you got it: in the
        application that you use, or from its support.
      </Empty>
    </Card>
  );
}
