/** Which page this is, and where its API is. */

/** GraphiQL goes by the dashboard's session. */
export type PageName = 'dashboard' | 'portal';

/** Says which page asks. No form and no other origin can send it, and each page has its own session. */
export const CLIENT_HEADER = 'X-Metergraph-Client';

/** An address of the server. Pages have `<base href="/">`, so it is below the root of their host. */
export function serverUrl(path: string): URL {
  return new URL(path, document.baseURI);
}

export function socketUrl(): string {
  const url = serverUrl('graphql');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
