/** Swapping a token for a session, whose cookie no script can read, and ending it. */
import { serverUrl } from './page';
import { type ApiError, type Problem, problemOfError } from './problems';

const OFFLINE: Problem = {
  kind: 'offline',
  title: 'Can’t reach Metergraph',
  advice: 'Check your connection, then try again.',
};

/** Opens a session; returns what was wrong, or null. */
export function openSession(request: typeof fetch, token: string): Promise<Problem | null> {
  return send(request, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** Ends the session; returns what was wrong, or null. */
export function endSession(request: typeof fetch): Promise<Problem | null> {
  return send(request, { method: 'DELETE' });
}

async function send(request: typeof fetch, init: RequestInit): Promise<Problem | null> {
  try {
    const answer = await request(serverUrl('session'), init);
    if (answer.ok) {
      return null;
    }
    const { errors } = (await answer.json()) as { errors?: ApiError[] };
    return problemOfError(errors?.[0] ?? { message: '' });
  } catch {
    return OFFLINE;
  }
}

/**
 * The token in the address, as #token=mg_…, taken out of it and of the history.
 *
 * Browsers send no server what follows #.
 */
export function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return token;
}
