/**
 * Serves the pages where the API's server has them, in development and in `vite preview`.
 *
 * /portal is the portal, a browser's GET of /graphql is GraphiQL, and any other page is the dashboard.
 * `vite preview` says the same Content-Security-Policy as the server does.
 */

/** What each page may load, run and connect to; the server sends the same. */
export const POLICIES = {
  dashboard: policy({ 'require-trusted-types-for': "'script'" }),
  portal: policy({ 'require-trusted-types-for': "'script'" }),
  // Its menus and dialogs keep the page from scrolling with a style element, always the same.
  graphiql: policy({
    'style-src': "'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='",
    'font-src': "'self' data:",
  }),
};

/** @param {Record<string, string>} exceptions */
function policy(exceptions) {
  return Object.entries({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data: https:",
    'font-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'self'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    ...exceptions,
  })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ');
}

/** @param {string} path @returns {'dashboard' | 'portal' | 'graphiql'} */
function pageAt(path) {
  if (path === '/graphql') {
    return 'graphiql';
  }
  return path === '/portal' ? 'portal' : 'dashboard';
}

/** @returns {import('vite').Plugin} */
export function servedPages() {
  /** @type {(withPolicy: boolean) => import('vite').Connect.NextHandleFunction} */
  const route = (withPolicy) => (request, response, next) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const asksForPage =
      request.method === 'GET' &&
      (request.headers.accept ?? '').includes('text/html') &&
      !path.endsWith('.html');
    if (asksForPage) {
      const page = pageAt(path);
      request.url = `/${page}.html`;
      if (withPolicy) {
        response.setHeader('Content-Security-Policy', POLICIES[page]);
      }
    } else {
      request.url = (request.url ?? '').replace(/^\/assets\/[0-9a-f]{16}\//, '/assets/');
    }
    next();
  };
  return {
    name: 'served-pages',
    configureServer(server) {
      server.middlewares.use(route(false));
    },
    configurePreviewServer(server) {
      server.middlewares.use(route(true));
    },
  };
}
