// npm @apollo/client: a list paged in relay's style, and a subscription that updates the cache.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  authorization,
  counted,
  createMeter,
  customersOf,
  ingest,
  socketUrl,
  until,
  url,
} from './api.mjs';

const ws = createClient({
  url: socketUrl,
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
});
const client = new ApolloClient({
  link: ApolloLink.split(
    ({ query }) => getMainDefinition(query).operation === 'subscription',
    new GraphQLWsLink(ws),
    new HttpLink({ uri: url, headers: { authorization } }),
  ),
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { customers: relayStylePagination() } } },
  }),
});

const CUSTOMERS = gql`
  query Customers($first: Int!, $after: String) {
    customers(first: $first, after: $after) {
      totalCount
      edges {
        cursor
        node {
          id
          externalId
          meters {
            nodes {
              id
              consumedUnits
            }
          }
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
    }
  }
`;

await createMeter();
await ingest(customersOf(25));
await counted(); // before that, a customer has no usage that could be updated

// The first page, then more, merged by Apollo's own policy.
const query = client.watchQuery({ query: CUSTOMERS, variables: { first: 10 } });
let subscriber;
await new Promise((resolve) => {
  subscriber = query.subscribe(({ data, error }) => {
    if (error) throw error;
    if (data) resolve();
  });
});
const shown = () => client.readQuery({ query: CUSTOMERS, variables: { first: 10 } }).customers;
let pages = 1;
while (shown().pageInfo.hasNextPage) {
  await query.fetchMore({ variables: { after: shown().pageInfo.endCursor } });
  pages += 1;
}

// What the subscription says lands in the cache, under the same id as the list's.
let units = 0;
const { reached, look } = until(() => units === 6);
const watching = client
  .subscribe({
    query: gql`
      subscription {
        usageUpdated(externalCustomerId: "c7") {
          cursor
          customerMeter {
            id
            consumedUnits
          }
        }
      }
    `,
  })
  .subscribe(({ data, error }) => {
    if (error) throw error;
    units = Number(data.usageUpdated.customerMeter.consumedUnits);
    look();
  });
await ingest(['c7'], 5);
await reached;

const c7 = shown().edges.find(({ node }) => node.externalId === 'c7').node;
console.log(
  JSON.stringify({
    pages,
    customers: shown().edges.map(({ node }) => node.externalId),
    total: shown().totalCount,
    cached: c7.meters.nodes.map(({ consumedUnits }) => consumedUnits),
  }),
);
watching.unsubscribe();
subscriber.unsubscribe();
client.stop();
await ws.dispose();
process.exit(0); // Apollo's timers would keep the program for a minute
