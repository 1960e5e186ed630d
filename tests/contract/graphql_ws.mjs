// npm graphql-ws, as its documentation has it; argv[3] names what to do. Prints JSON.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { USAGE, authorization, createMeter, customersOf, ingest, socketUrl, until } from './api.mjs';

const client = (options = {}) =>
  createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    ...options,
  });

/** Every cursor and the last state of each customer, as a subscriber sees them. */
function watch(ws, variables, done) {
  const seen = { cursors: [], units: {} };
  const { reached, look } = until(() => done(seen));
  const stop = ws.subscribe(
    { query: USAGE, variables },
    {
      next({ data, errors }) {
        if (errors) throw new Error(JSON.stringify(errors));
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
  return { seen, reached, stop };
}

const scenarios = {
  async subscribe() {
    await createMeter();
    const ws = client();
    const watching = watch(ws, {}, (seen) => seen.units.c0 === 3);
    await ingest(['c0'], 1);
    await ingest(['c0'], 2);
    await watching.reached;
    watching.stop();
    await ws.dispose();
    return watching.seen;
  },

  // The client reconnects by itself and sends the variables as they are then: the last cursor.
  async resume() {
    await createMeter();
    const customers = customersOf(20);
    let connections = 0;
    let connected;
    const nextSocket = () => new Promise((resolve) => (connected = resolve));
    let socket = nextSocket();
    const ws = client({
      retryAttempts: 10,
      retryWait: async () => {},
      on: {
        connected: (opened) => {
          connections += 1;
          connected(opened);
        },
      },
    });
    const rounds = 12;
    const total = (seen) => Object.values(seen.units).filter((units) => units === rounds).length;
    const watching = watch(ws, {}, (seen) => total(seen) === customers.length);
    for (let round = 0; round < rounds; round += 1) {
      await ingest(customers);
      if (round % 3 === 1) {
        const open = await socket;
        socket = nextSocket();
        open.terminate();
      }
    }
    await Promise.all([watching.reached, socket]);
    watching.stop();
    await ws.dispose();
    return { ...watching.seen, connections };
  },

  // The server is stopped and another one started: the test does that once we subscribe.
  async restart() {
    await createMeter();
    const closed = [];
    let connections = 0;
    const ws = client({
      retryWait: async () => {},
      on: {
        connected: () => (connections += 1),
        closed: ({ code, reason }) => closed.push({ code, reason }),
      },
    });
    const watching = watch(ws, {}, (seen) => seen.units.c0 >= 2 && connections === 2);
    await ingest(['c0']);
    const sending = setInterval(() => ingest(['c0']).catch(() => {}), 200);
    await watching.reached;
    clearInterval(sending);
    watching.stop();
    await ws.dispose();
    return { closed, connections, cursors: watching.seen.cursors };
  },

  async without_a_token() {
    const closed = [];
    for (const connectionParams of [undefined, { authorization: 'Bearer mg_nobody' }]) {
      const ws = client({ connectionParams, retryAttempts: 0, lazy: false, onNonLazyError() {} });
      closed.push(
        await new Promise((resolve) => {
          ws.on('closed', ({ code, reason }) => resolve({ code, reason }));
        }),
      );
      await ws.dispose();
    }
    return closed;
  },

  async hundred_on_one_socket() {
    await createMeter();
    const customers = customersOf(100);
    let connections = 0;
    const ws = client({ on: { connected: () => (connections += 1) } });
    const watching = customers.map((customer) =>
      watch(ws, { customer }, (seen) => seen.units[customer] === 1),
    );
    await Promise.all(watching.map(({ reached }) => reached));
    watching.forEach(({ stop }) => stop());
    await ws.dispose();
    return { connections, seen: watching.map(({ seen }) => seen.units) };
  },

  async errors() {
    const ws = client();
    const outcome = (query) =>
      new Promise((resolve) => {
        ws.subscribe({ query }, { next: resolve, error: resolve, complete: resolve });
      });
    const found = [
      await outcome('subscription { nothingLikeIt }'),
      await outcome('subscription { usageUpdated(after: "nonsense") { cursor } }'),
      await outcome('{ organization { name } }'),
    ];
    await ws.dispose();
    return found;
  },
};

const name = process.argv[3];
// A subscription to a customer that is not there yet is refused.
if (name === 'hundred_on_one_socket') await ingest(customersOf(100));
console.log(JSON.stringify(await scenarios[name]()));
