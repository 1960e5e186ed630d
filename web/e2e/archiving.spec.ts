import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Api } from './harness/api';
import { type Account, portalLink } from './harness/data';
import { command, Server } from './harness/server';
import { exactly, expect, signIn, test } from './harness/test';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ODD = 26 * 60_000 + 53_589;

interface Sold extends Pick<Account, 'customer' | 'meter'> {
  server: Server;
  api: Api;
  invoice: string;
  event: string;
  /** The start of this month: what happened before it is archived. */
  from: number;
}

test('of archived months, pages show what is known and say what is not', async ({ page }) => {
  const server = await Server.start({ history: false });
  const folder = mkdtempSync(join(tmpdir(), 'metergraph-archive-'));
  try {
    const sold = await sell(server);
    await signIn(page, server.url, server.token);
    await command(server.folder, ['archive', '--before', dayOf(sold.from), '--to', folder]);
    await test.step('an invoice', () => invoice(page, sold));
    await test.step('usage by dimension', () => dimensions(page, sold));
    await test.step('the range before a period', () => comparison(page, sold));
    await test.step('events', () => events(page, sold));
    await test.step('meters that are made now', () => newMeters(page, sold));
    await test.step('the portal', () => portal(page, sold));
    await command(server.folder, ['restore-archive', folder]);
    await test.step('restored events', () => restored(page, sold));
    // It would look for its server.
    await page.goto('about:blank');
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function invoice(page: Page, { server, meter, invoice: id }: Sold): Promise<void> {
  await page.goto(`${server.url}/invoices/${id}`);
  await page.getByRole('button', { name: 'Why this much?' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Show the events' }).click();
  await expect(dialog.getByRole('alert')).toContainText('restored');
  // The steps stay beside it.
  await expect(dialog.getByRole('table', { name: 'Steps' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('link', { name: 'Show usage' }).click();
  await expect(page.getByRole('heading', { level: 1, name: meter.name })).toBeVisible();
  await expect(page.locator(exactly(42)).first()).toBeVisible();
  await expect(page.getByText('widened to whole hours')).toBeVisible();
}

/** Days in India begin within an hour of UTC, by which usage by dimension is kept. */
async function dimensions(page: Page, { server, meter, from }: Sold): Promise<void> {
  const days = `range=${dayOf(from - 9 * DAY)}..${dayOf(from - 2 * DAY)}`;
  await page.goto(`${server.url}/meters/${meter.id}?${days}&zone=Asia/Kolkata&by=["region"]`);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('whole hours');
  await expect(page.getByRole('heading', { level: 1, name: meter.name })).toBeVisible();
  await expect(page.locator(exactly(40)).first()).toBeVisible();
  await alert.getByRole('button', { name: 'Show in UTC' }).click();
  await expect(alert).toHaveCount(0);
  await expect(page.getByText('eu', { exact: true }).first()).toBeVisible();
}

async function comparison(page: Page, { server, meter, from }: Sold): Promise<void> {
  const range = `${instant(from + ODD)}..${instant(from + ODD + 20 * DAY)}`;
  await page.goto(`${server.url}/meters/${meter.id}?range=${range}&zone=UTC`);
  await expect(page.getByRole('heading', { level: 1, name: meter.name })).toBeVisible();
  await expect(page.locator(exactly(40)).first()).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
}

async function events(page: Page, { server, customer, event, from }: Sold): Promise<void> {
  const days = `from=${dayOf(from - 9 * DAY)}&to=${dayOf(from + DAY)}&zone=UTC`;
  const archived = page.getByText('are archived and not listed');
  await page.goto(`${server.url}/events?${days}`);
  await expect(archived).toBeVisible();
  await page.goto(`${server.url}/events?from=${dayOf(from)}&zone=UTC`);
  await expect(page.getByRole('group', { name: 'Events' }).getByText('units 2')).toBeVisible();
  await expect(archived).toHaveCount(0);
  await page.goto(`${server.url}/customers/${customer.id}?part=events&range=90d`);
  await expect(archived).toBeVisible();
  await page.goto(`${server.url}/events/${event}`);
  await expect(page.getByText('There is no such event')).toBeVisible();
  await expect(page.getByText('They count, but have no page')).toBeVisible();
}

async function newMeters(page: Page, { server, api, meter }: Sold): Promise<void> {
  await page.goto(`${server.url}/meters/${meter.id}/edit`);
  await page.getByLabel('Range').selectOption('Last 90 days');
  await expect(page.getByText('A new meter counts from then on')).toBeVisible();
  await expect(page.locator(exactly(2)).first()).toBeVisible();
  const { id } = await newMeter(api, 'Made later');
  await page.goto(`${server.url}/meters/${id}?range=90d&zone=UTC`);
  await expect(page.getByText('events of that time were archived before')).toBeVisible();
}

async function portal(page: Page, sold: Sold): Promise<void> {
  await page.goto(await portalLink(sold.api, sold));
  await page.getByText('90 days', { exact: true }).click();
  await expect(page.locator(exactly(42)).first()).toBeVisible();
  await page.goto(`${sold.server.url}/portal?invoice=${sold.invoice}`);
  await page.getByRole('button', { name: 'Why this much?' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Show the events' }).click();
  await expect(dialog.getByRole('alert')).toContainText('restored');
  await expect(dialog.getByRole('table', { name: 'Steps' })).toBeVisible();
}

async function restored(page: Page, sold: Sold): Promise<void> {
  await page.goto(`${sold.server.url}/events/${sold.event}`);
  await expect(page.getByText('Counted', { exact: true })).toBeVisible();
  await page.goto(`${sold.server.url}/invoices/${sold.invoice}`);
  await page.getByRole('button', { name: 'Why this much?' }).click();
  await page.getByRole('button', { name: 'Show the events' }).click();
  await expect(page.getByRole('group', { name: 'Events of the line' })).toContainText('40');
}

/** A subscription whose period begins at an odd instant of last month, with an event then and one now. */
async function sell(server: Server): Promise<Sold> {
  const api = new Api(server.url, server.token);
  const now = new Date();
  const from = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const meter = await newMeter(api, 'Units');
  const { productCreate } = await api.ask(
    `mutation Product($meter: ID!) {
      productCreate(input: {
        name: "Yearly", recurringInterval: YEAR
        prices: [{ metered: { currency: "USD", meterId: $meter, unitAmount: "2" } }]
      }) { product { id } userErrors { message path } }
    }`,
    { meter: meter.id },
  );
  const { customerCreate } = await api.ask(
    `mutation {
      customerCreate(input: { externalId: "old", name: "Old" }) {
        customer { id name externalId } userErrors { message path }
      }
    }`,
  );
  const { customer } = customerCreate;
  const { customerSubscriptionCreate } = await api.ask(
    `mutation Subscribe($customer: ID!, $product: ID!, $at: DateTime!) {
      customerSubscriptionCreate(
        input: { customerId: $customer, productId: $product, startedAt: $at }
      ) { subscription { id } userErrors { message path } }
    }`,
    {
      customer: customer.id,
      product: productCreate.product.id,
      at: instant(from - 10 * DAY + ODD),
    },
  );
  const send = (units: number, timestamp: string) =>
    api.send([{ name: 'units', customer: 'old', units, region: 'eu', timestamp }]);
  await send(40, instant(from - 5 * DAY + ODD));
  await send(2, new Date().toISOString());
  const found = await api.ask(
    'query Earliest($end: DateTime!) { events(filter: { end: $end }) { nodes { id } } }',
    { end: instant(from) },
  );
  await api.ask(
    `mutation End($id: ID!) {
      customerSubscriptionCancel(input: { id: $id, when: NOW }) { userErrors { message path } }
    }`,
    customerSubscriptionCreate.subscription,
  );
  const issued = async () =>
    (await api.ask('{ invoices { nodes { id status } } }')).invoices.nodes as { id: string }[];
  await expect.poll(async () => (await issued()).length).toBe(1);
  const [invoice] = await issued();
  return {
    server,
    api,
    meter,
    customer,
    invoice: invoice?.id ?? '',
    event: found.events.nodes[0].id,
    from,
  };
}

async function newMeter(api: Api, name: string): Promise<{ id: string; name: string }> {
  const { meterCreate } = await api.ask(
    `mutation Meter($name: String!) {
      meterCreate(input: {
        name: $name, dimensions: ["region"], aggregation: { function: SUM, property: "units" }
        filter: { clauses: [{ clause: { property: "name", operator: EQUALS, value: "units" } }] }
      }) { meter { id name } userErrors { message path } }
    }`,
    { name },
  );
  return meterCreate.meter;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

function dayOf(at: number): string {
  return instant(at).slice(0, 10);
}
