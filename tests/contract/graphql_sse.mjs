// npm graphql-sse with distinct connections; argv[3] names what to do. Prints JSON.
import { createClient } from 'graphql-sse';
import { USAGE, authorization, createMeter, customersOf, ingest, until, url } from './api.mjs';

const client = (options = {}) =>
  createClient({ url, headers: { authorization }, retryAttempts: 0, ...options });

const scenarios = {
  async subscribe() {
    await createMeter();
    const sse = client();
    const units = {};
    const cursors = [];
    const { reached, look } = until(() => units.c0 === 5 && units.c1 === 1);
    const completed = new Promise((resolve) => {
      const stop = sse.subscribe(
        { query: USAGE },
        {
          next({ data, errors }) {
            if (errors) throw new Error(JSON.stringify(errors));
            const { cursor, customerMeter } = data.usageUpdated;
            cursors.push(cursor);
            units[customerMeter.customer.externalId] = Number(customerMeter.consumedUnits);
            look();
          },
          error: (error) => console.error(error),
          complete: resolve,
        },
      );
      reached.then(stop);
    });
    await ingest(['c0', 'c1'], 1);
    await ingest(['c0'], 4);
    await completed;
    return { units, cursors };
  },

  // The client reconnects by itself; the variables are written anew every time.
  async resume() {
    await createMeter();
    const customers = customersOf(5);
    const variables = {};
    const seen = { cursors: [], units: {}, connections: 0 };
    let connected;
    const nextStream = () => new Promise((resolve) => (connected = resolve));
    let stream = nextStream();
    const sse = client({
      retryAttempts: 10,
      retry: async () => {},
      // A connection that the network cuts in the middle of the stream.
      fetchFn: async (input, init) => {
        const abort = new AbortController();
        init.signal?.addEventListener('abort', () => abort.abort());
        const response = await fetch(input, {
          ...init,
          body: JSON.stringify({ query: USAGE, variables }),
          signal: abort.signal,
        });
        seen.connections += 1;
        connected(() => abort.abort(new TypeError('network')));
        return response;
      },
    });
    const rounds = 6;
    const total = () => Object.values(seen.units).filter((units) => units === rounds).length;
    const { reached, look } = until(() => total() === customers.length);
    const stop = sse.subscribe(
      { query: USAGE },
      {
        next({ data }) {
          const { cursor, customerMeter } = data.usageUpdated;
          variables.after = cursor;
          seen.cursors.push(cursor);
          seen.units[customerMeter.customer.externalId] = Number(customerMeter.consumedUnits);
          look();
        },
        error: (error) => console.error(error),
        complete() {},
      },
    );
    for (let round = 0; round < rounds; round += 1) {
      await ingest(customers);
      if (round % 2 === 1) {
        const drop = await stream;
        stream = nextStream();
        drop();
      }
    }
    await Promise.all([reached, stream]);
    stop();
    return seen;
  },

  async errors() {
    const outcome = (options, query) =>
      new Promise((resolve) => {
        const results = [];
        client(options).subscribe(
          { query },
          {
            next: (result) => results.push(result),
            error: (error) => resolve({ status: error.response?.status ?? String(error) }),
            complete: () => resolve(results),
          },
        );
      });
    return [
      await outcome({}, '{ organization { name } }'),
      await outcome({}, 'subscription { nothingLikeIt }'),
      await outcome({}, 'subscription { usageUpdated(after: "nonsense") { cursor } }'),
      await outcome({ headers: { authorization: 'Bearer mg_nobody' } }, USAGE),
      await outcome({ headers: {} }, USAGE),
    ];
  },
};

console.log(JSON.stringify(await scenarios[process.argv[3]]()));
