// relay-runtime with what relay-compiler made in argv[3]: pages of a connection, a refetch by id.
import { pathToFileURL } from 'node:url';
import runtime from 'relay-runtime';
import { ask, createMeter, customersOf, ingest } from './api.mjs';

const { ConnectionHandler, Environment, Network, RecordSource, Store, fetchQuery } = runtime;
const compiled = async (name) =>
  (await import(pathToFileURL(`${process.argv[3]}/__generated__/${name}.graphql.js`))).default;

const environment = new Environment({
  network: Network.create(async ({ text }, variables) => ({ data: await ask(text, variables) })),
  store: new Store(new RecordSource()),
});
const fetched = async (name, variables = {}) =>
  fetchQuery(environment, await compiled(name), variables).toPromise();

const connection = () => {
  let found;
  environment.commitUpdate((store) => {
    const page = ConnectionHandler.getConnection(store.getRoot(), 'CustomerList_customers');
    const info = page.getLinkedRecord('pageInfo');
    found = {
      customers: page
        .getLinkedRecords('edges')
        .map((edge) => edge.getLinkedRecord('node').getValue('externalId')),
      ids: page.getLinkedRecords('edges').map((edge) => edge.getLinkedRecord('node').getValue('id')),
      hasNextPage: info.getValue('hasNextPage'),
      endCursor: info.getValue('endCursor'),
    };
  });
  return found;
};

await createMeter();
await ingest(customersOf(5));
const query = await compiled('CustomerListQuery');
environment.retain(runtime.createOperationDescriptor(query, {}));
await fetched('CustomerListQuery');
let pages = 1;
while (connection().hasNextPage) {
  await fetched('CustomerListPaginationQuery', { count: 2, cursor: connection().endCursor });
  pages += 1;
}
const { customers, ids } = connection();
await fetched('CustomerUsageRefetchQuery', { id: ids[0], count: 1 });
await fetched('EventFeedQuery', { last: 3, filter: { names: ['ai_usage'] } });
const { node } = await fetched('EventFeedNodeQuery', { id: ids[0] });
console.log(JSON.stringify({ pages, customers, node: node.externalId }));
process.exit(0); // Relay's garbage collector would keep the program
