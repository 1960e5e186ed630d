/**
 * GraphiQL on this server. It goes by the dashboard's session, or by a token: that stands in the
 * headers editor and goes along over HTTP and, in connection_init, over WebSocket. An address that
 * ends in #token=mg_… fills it in. The documentation needs neither.
 */
import './graphiql.css';
import 'graphiql/style.css';
import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import CodeMirror from 'codemirror';
import 'codemirror-graphql/esm/variables/lint.js';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { serverUrl, socketUrl } from '../api/page';
import { requester } from '../api/requests';
import { takeTokenFromAddress } from '../api/session';
import QUERY from './welcome.graphql?raw';

const FORBIDDEN = 4403;
const PLACEHOLDER = '…';

// The editor of variables takes a custom scalar for text, a number or a boolean, and would mark every
// JSON object as a mistake. The schema has one scalar whose values are objects.
interface Annotation {
  message: string;
  from: { line: number; ch: number };
}
type Check = (text: string, options: unknown, editor: CodeMirror.Editor) => Annotation[];

const { lint } = CodeMirror as unknown as { lint: { 'graphql-variables': Check } };
const checkVariables = lint['graphql-variables'];
const checkScalars: Check = (text, options, editor) =>
  checkVariables(text, options, editor).filter(
    ({ message, from }) =>
      message !== 'Expected value of type "JSONObject".' ||
      editor.getLine(from.line)[from.ch] !== '{',
  );
CodeMirror.registerHelper('lint', 'graphql-variables', checkScalars);

const request = requester('dashboard');

// A connection that is refused stays refused: its reason is shown at once. One that broke, or whose
// server stopped, is made again.
function subscriber(headers: Record<string, unknown>) {
  return createClient({
    url: socketUrl,
    connectionParams: { client: 'dashboard', ...headers },
    shouldRetry: (problem) => problem instanceof CloseEvent && problem.code !== FORBIDDEN,
  });
}

const fetcher: Fetcher = (parameters, options) => {
  const headers = Object.fromEntries(
    Object.entries(options?.headers ?? {}).filter(
      ([, value]) => !String(value).includes(PLACEHOLDER),
    ),
  );
  // It connects once something is subscribed to.
  const send = createGraphiQLFetcher({
    url: serverUrl('graphql').href,
    fetch: request,
    wsClient: subscriber(headers),
  });
  return send(parameters, { ...options, headers });
};

const token = takeTokenFromAddress();
const headers = JSON.stringify(
  { Authorization: `Bearer ${token ?? `mg_${PLACEHOLDER}`}` },
  null,
  2,
);
const page = document.getElementById('page');
if (page !== null) {
  createRoot(page).render(
    <GraphiQL
      fetcher={fetcher}
      defaultQuery={QUERY}
      defaultHeaders={headers}
      {...(token !== null && { headers })}
      defaultEditorToolsVisibility="headers"
      inputValueDeprecation
      isHeadersEditorEnabled
      shouldPersistHeaders={false}
    />,
  );
}
