// What the scripts share: the server at argv[2], the token in METERGRAPH_TOKEN, and events for it.
export const url = process.argv[2];
export const socketUrl = url.replace(/^http/, 'ws');
export const authorization = `Bearer ${process.env.METERGRAPH_TOKEN}`;

/** The data of an answer without errors. */
export async function ask(query, variables = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Sends one event of `tokens` for each of the customers, in one call. */
export async function ingest(customers, tokens = 1) {
  const events = customers.map((externalCustomerId) => ({
    name: 'ai_usage',
    externalCustomerId,
    metadata: { tokens },
  }));
  const { eventsIngest } = await ask(
    `mutation Ingest($events: [EventInput!]!) {
       eventsIngest(input: { events: $events }) { inserted userErrors { message } }
     }`,
    { events },
  );
  if (eventsIngest.inserted !== events.length) throw new Error(JSON.stringify(eventsIngest));
}

/** Creates a meter of the tokens of all events. */
export async function createMeter() {
  await ask(`mutation {
    meterCreate(input: { name: "Tokens", unit: "token", filter: {}, aggregation: { function: SUM, property: "tokens" } }) {
      userErrors { message }
    }
  }`);
}

/** Resolves once every event that is stored is counted. */
export async function counted() {
  const behind = ({ progress }) => Number(progress.pendingEvents) > 0;
  let meters;
  do {
    ({ meters } = await ask('{ meters { nodes { progress { pendingEvents } } } }'));
  } while (meters.nodes.some(behind));
}

/** Resolves when `done()` is true; asks at every `look()`. Rejects after 100 seconds. */
export function until(done) {
  let look;
  const reached = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('nothing came for 100 seconds')), 100_000);
    look = () => {
      if (done()) {
        clearTimeout(timer);
        resolve();
      }
    };
  });
  return { reached, look };
}

export const customersOf = (count) => Array.from({ length: count }, (_, index) => `c${index}`);

export const USAGE = `subscription Usage($after: String, $customer: String) {
  usageUpdated(after: $after, externalCustomerId: $customer) {
    customerMeter { consumedUnits customer { externalId } }
    cursor
  }
}`;
