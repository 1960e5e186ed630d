// npm @polar-sh/sdk, of today and before 1.0, with no change but the address. Prints JSON.
import { createPolar } from '@polar-sh/sdk/2026-10';
import { Polar } from 'polar-sdk-0';
import { url } from './api.mjs';

const base = new URL(url).origin;
const accessToken = process.env.METERGRAPH_TOKEN;
const refused = async (work) => {
  try {
    return await work();
  } catch (error) {
    const { name, statusCode } = error;
    const detail = error.error?.detail ?? error.detail;
    return { name, statusCode, detail };
  }
};

const polar = (token) => createPolar({ accessToken: token, baseUrl: base });
const events = (name) => [
  {
    name,
    external_customer_id: 'acme',
    external_id: 'e1',
    timestamp: '2026-01-01T00:00:00Z',
    metadata: { tokens: 12.5, cached: true },
  },
  { name, external_customer_id: 'acme' },
];
const today = {
  stored: await polar(accessToken).events.ingest({ events: events('call') }),
  again: await polar(accessToken).events.ingest({ events: events('call').slice(0, 1) }),
  invalid: await refused(() => polar(accessToken).events.ingest({ events: events('x'.repeat(129)) })),
  unknown: await refused(() => polar('polar_oat_unknown').events.ingest({ events: [] })),
};

const earlier = (token) => new Polar({ accessToken: token, serverURL: base });
const before = (name) => [
  {
    name,
    externalCustomerId: 'acme',
    externalId: 'e2',
    timestamp: new Date('2026-01-01T00:00:00Z'),
    metadata: { tokens: 1 },
  },
];
const past = {
  stored: await earlier(accessToken).events.ingest({ events: before('call') }),
  again: await earlier(accessToken).events.ingest({ events: before('call') }),
  invalid: await refused(() => earlier(accessToken).events.ingest({ events: before('x'.repeat(129)) })),
  unknown: await refused(() => earlier('polar_oat_unknown').events.ingest({ events: [] })),
};
console.log(JSON.stringify({ today, past }));
