/** One of everything that has a page or a dialog of its own, made by the API. */
import { expect } from '@playwright/test';
import type { Api } from './api';
import { type Account, EXAMPLE_ACCOUNT, endSubscription, makeAccount } from './data';
import { makeGroupedMeter } from './grouped';

export interface Everything extends Account {
  /** An invoice that is not issued yet. */
  draft: { id: string };
  /** A subscription that ends with its period. */
  ending: { id: string };
  /** A subscription whose quantity changes with its next period. */
  changing: { id: string };
  archived: { id: string; name: string };
  /** A meter with two dimensions, and usage by them. */
  grouped: { id: string; name: string };
  sent: { id: string };
  simulation: { id: string; name: string };
  alert: { id: string; name: string };
  endpoint: { id: string; url: string };
  delivery: { id: string };
}

/** Has the form of everything, for what must be listed before there is any. */
export const EXAMPLE: Everything = {
  ...EXAMPLE_ACCOUNT,
  draft: { id: 'draft' },
  ending: { id: 'ending' },
  changing: { id: 'changing' },
  archived: { id: 'archived', name: 'Archived' },
  grouped: { id: 'grouped', name: 'Grouped' },
  sent: { id: 'sent' },
  simulation: { id: 'simulation', name: 'Simulation' },
  alert: { id: 'alert', name: 'Alert' },
  endpoint: { id: 'endpoint', url: 'http://127.0.0.1' },
  delivery: { id: 'delivery' },
};

/** In an organization of its own, whose settings it changes. */
export async function makeEverything(api: Api): Promise<Everything> {
  const account = await makeAccount(api);
  const { event, customer, meter } = account;
  await api.send([{ name: event, customer: customer.externalId, units: 1500 }]);
  await makePromotion(api, account);
  const { events } = await api.ask('{ events(first: 1) { nodes { id } } }');
  const grouped = await makeGroupedMeter(api, customer.externalId);
  return {
    ...account,
    sent: events.nodes[0],
    draft: await makeDraft(api),
    ending: await makeEnding(api),
    changing: await makeChanging(api),
    archived: await makeArchivedMeter(api),
    grouped,
    simulation: await makeSimulation(api, grouped),
    alert: await makeAlert(api, meter.id),
    ...(await makeDelivery(api)),
  };
}

/** A price of what was used by now. */
async function makeSimulation(
  api: Api,
  meter: { id: string },
): Promise<{ id: string; name: string }> {
  const end = Date.now();
  const { priceSimulationStart } = await api.ask(
    `mutation Simulate($input: PriceSimulationStartInput!) {
      priceSimulationStart(input: $input) { simulation { id name } userErrors { message path } }
    }`,
    {
      input: {
        name: 'Dearer tokens',
        recurringInterval: 'DAY',
        start: new Date(end - 86_400_000).toISOString(),
        end: new Date(end).toISOString(),
        prices: [{ metered: { currency: 'USD', meterId: meter.id, unitAmount: '3' } }],
      },
    },
  );
  const { simulation } = priceSimulationStart;
  const read = 'query Simulated($id: ID!) { priceSimulation(id: $id) { status } }';
  const status = async () => (await api.ask(read, simulation)).priceSimulation.status;
  await expect.poll(status, { timeout: 60_000 }).toBe('DONE');
  return simulation;
}

/** A grant that begins later. */
async function makePromotion(api: Api, { customer, meter }: Account): Promise<void> {
  await api.ask(
    `mutation Promotion($input: CustomerMeterCreditInput!) {
      customerMeterCredit(input: $input) { userErrors { message path } }
    }`,
    {
      input: {
        customerId: customer.id,
        meterId: meter.id,
        units: '500',
        reason: 'A promotion',
        effectiveAt: new Date(Date.now() + 86_400_000).toISOString(),
        expiresAt: new Date(Date.now() + 9 * 86_400_000).toISOString(),
        priority: 10,
      },
    },
  );
}

/** The last invoice of a subscription that has ended, in an organization that waits with invoices. */
export async function makeDraft(api: Api): Promise<{ id: string }> {
  await api.ask(
    `mutation {
      organizationUpdate(input: { invoiceGraceHours: 720, paymentTermDays: 14 }) {
        userErrors { message path }
      }
    }`,
  );
  const draft = await endSubscription(api, await makeAccount(api));
  if (draft.status !== 'DRAFT') {
    throw new Error(`The invoice is ${draft.status}`);
  }
  return draft;
}

async function makeEnding(api: Api): Promise<{ id: string }> {
  const { subscription } = await makeAccount(api);
  await api.ask(
    `mutation End($id: ID!) {
      customerSubscriptionCancel(input: { id: $id, when: PERIOD_END }) {
        userErrors { message path }
      }
    }`,
    { id: subscription.id },
  );
  return subscription;
}

async function makeChanging(api: Api): Promise<{ id: string }> {
  const { subscription } = await makeAccount(api);
  await api.ask(
    `mutation Change($id: ID!) {
      customerSubscriptionChange(input: { id: $id, quantity: 2, when: PERIOD_END }) {
        userErrors { message path }
      }
    }`,
    { id: subscription.id },
  );
  return subscription;
}

async function makeArchivedMeter(api: Api): Promise<{ id: string; name: string }> {
  const { meterCreate } = await api.ask(
    `mutation {
      meterCreate(input: { name: "Old calls", filter: {}, aggregation: { function: COUNT } }) {
        meter { id name }
        userErrors { message path }
      }
    }`,
  );
  await api.ask(
    'mutation Archive($id: ID!) { meterArchive(input: { id: $id }) { userErrors { message path } } }',
    { id: meterCreate.meter.id },
  );
  return meterCreate.meter;
}

async function makeAlert(api: Api, meter: string): Promise<{ id: string; name: string }> {
  const { usageAlertCreate } = await api.ask(
    `mutation Alert($meter: ID!) {
      usageAlertCreate(
        input: { name: "Credit is used up", kind: CREDIT_USED_PERCENT, threshold: "100", meterId: $meter }
      ) { alert { id name } userErrors { message path } }
    }`,
    { meter },
  );
  return usageAlertCreate.alert;
}

/** Nothing listens there, so that the delivery fails. */
async function makeDelivery(api: Api): Promise<Pick<Everything, 'endpoint' | 'delivery'>> {
  const { webhookEndpointCreate } = await api.ask(
    `mutation {
      webhookEndpointCreate(input: { url: "http://127.0.0.1:9/hooks", eventTypes: ["meter.failing"] }) {
        webhookEndpoint { id url }
        userErrors { message path }
      }
    }`,
  );
  const { webhookEndpoint: endpoint } = webhookEndpointCreate;
  const { webhookEndpointTest } = await api.ask(
    `mutation Test($id: ID!) {
      webhookEndpointTest(input: { id: $id }) { delivery { id } userErrors { message path } }
    }`,
    { id: endpoint.id },
  );
  return { endpoint, delivery: webhookEndpointTest.delivery };
}
