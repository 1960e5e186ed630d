/** HTTP requests of a page: with its session, for a bounded time, and telling the server's time. */
import { learnTime } from './clock';
import { CLIENT_HEADER, type PageName } from './page';

/** Longer than the server gives a request. */
const PATIENCE = 45_000;

export function requester(page: PageName): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set(CLIENT_HEADER, page);
    const signals = [AbortSignal.timeout(PATIENCE), ...(init?.signal ? [init.signal] : [])];
    const asked = Date.now();
    const answer = await fetch(input, {
      ...init,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any(signals),
    });
    learnTime(answer.headers.get('date'), asked, Date.now());
    return answer;
  };
}
