// GraphiQL for Metergraph: the token stands in the headers editor and goes along over HTTP and,
// in connection_init, over WebSocket. An address that ends in #token=mg_… fills it in. Until there is
// one no token is sent: the documentation needs none, and anything else is answered with what is
// missing.
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import CodeMirror from 'codemirror';
import 'codemirror-graphql/esm/variables/lint.js';
import { GraphiQL } from 'graphiql';
import 'graphiql/graphiql.css';
import { createClient } from 'graphql-ws';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

const QUERY = `# The token goes into Headers, below. Press ▶ to run.

query Meters {
  organization {
    name
  }
  meters {
    nodes {
      id
      name
      unit
      customers {
        nodes {
          customer {
            externalId
          }
          consumedUnits
          balance
        }
      }
    }
  }
}

subscription Live {
  usageUpdated {
    customerMeter {
      customer {
        externalId
      }
      meter {
        name
      }
      consumedUnits
    }
    cursor
  }
}
`;

// The editor of variables takes a custom scalar for text, a number or a boolean, and would mark every
// JSON object as a mistake. The schema has one scalar whose values are objects.
const checkVariables = CodeMirror.lint['graphql-variables'];
CodeMirror.registerHelper('lint', 'graphql-variables', (text, options, editor) =>
  checkVariables(text, options, editor).filter(
    ({ message, from }) =>
      message !== 'Expected value of type "JSONObject".' ||
      editor.getLine(from.line)[from.ch] !== '{',
  ),
);

const url = new URL(window.location.href);
const token = new URLSearchParams(url.hash.slice(1)).get('token');
const endpoint = url.origin + url.pathname;
const headers = JSON.stringify({ Authorization: `Bearer ${token ?? 'mg_…'}` }, null, 2);
const FORBIDDEN = 4403;

// A connection that is refused stays refused: its reason is shown at once. One that broke, or whose
// server stopped, is made again.
const subscriber = (connectionParams) =>
  createClient({
    url: endpoint.replace(/^http/, 'ws'),
    connectionParams,
    shouldRetry: (problem) => problem instanceof CloseEvent && problem.code !== FORBIDDEN,
  });

function fetcher(parameters, options) {
  const filledIn = Object.fromEntries(
    Object.entries(options?.headers ?? {}).filter(([, value]) => !String(value).includes('…')),
  );
  // It connects once something is subscribed to.
  const send = createGraphiQLFetcher({ url: endpoint, wsClient: subscriber(filledIn) });
  return send(parameters, { ...options, headers: filledIn });
}

if (token !== null) {
  // A secret does not stay in the address bar, nor in the history.
  history.replaceState(null, '', url.pathname);
}

createRoot(document.getElementById('graphiql')).render(
  createElement(GraphiQL, {
    fetcher,
    defaultQuery: QUERY,
    defaultHeaders: headers,
    ...(token !== null && { headers }),
    defaultEditorToolsVisibility: 'headers',
    inputValueDeprecation: true,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
