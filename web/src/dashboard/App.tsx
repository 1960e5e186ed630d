import { RouterProvider } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { Provider } from 'urql';
import type { Problem } from '../api/problems';
import { requester } from '../api/requests';
import { endSession, openSession, takeTokenFromAddress } from '../api/session';
import { useApi } from '../api/useApi';
import { showToast, Toasts } from '../ui/Toast';
import { router } from './router';
import { SignIn } from './SignIn';
import { SignOutContext } from './signOut';

type Access =
  | { state: 'opening'; token: string }
  | { state: 'in' }
  | { state: 'out'; problem: Problem | null };

const request = requester('dashboard');

/** Nobody knows whether there is a session until the API says that there is none. */
function firstAccess(): Access {
  const token = takeTokenFromAddress();
  return token === null ? { state: 'in' } : { state: 'opening', token };
}

export function App() {
  const [access, setAccess] = useState(firstAccess);
  const signIn = useCallback(async (token: string) => {
    const problem = await openSession(request, token);
    setAccess(problem === null ? { state: 'in' } : { state: 'out', problem });
    return problem;
  }, []);

  useEffect(() => {
    if (access.state === 'opening') {
      signIn(access.token);
    }
  }, [access, signIn]);

  const signOut = useCallback(async () => {
    const problem = await endSession(request);
    if (problem === null || problem.kind === 'signed-out') {
      setAccess({ state: 'out', problem: null });
    } else {
      showToast(`${problem.title}. You are still signed in.`, true);
    }
  }, []);
  const onSignedOut = useCallback(() => setAccess({ state: 'out', problem: null }), []);

  return (
    <>
      {access.state === 'in' && (
        <SignOutContext value={signOut}>
          <Signed onSignedOut={onSignedOut} />
        </SignOutContext>
      )}
      {access.state === 'out' && <SignIn problem={access.problem} onSignIn={signIn} />}
      <Toasts />
    </>
  );
}

/** Each session has a cache of its own. */
function Signed({ onSignedOut }: { onSignedOut(): void }) {
  const client = useApi('dashboard', onSignedOut);
  return (
    <Provider value={client}>
      <RouterProvider router={router} />
    </Provider>
  );
}
