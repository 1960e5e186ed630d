import type { Locator, Page } from '@playwright/test';
import type { Api } from './harness/api';
import { type Account, portalLink } from './harness/data';
import { printedText } from './harness/printed';
import { monthlyProduct, subscriptionTools } from './harness/subscriptions';
import { expect, test } from './harness/test';

/** Of the account's product, in cents. */
const FIXED = 123_456;
const INCLUDED = 1000;

interface Line {
  description: string;
  amount: number;
}

/** The lines of a table of them, as a person reads them. */
async function linesIn(table: Locator): Promise<Line[]> {
  await expect(table.locator('tbody tr').first()).toBeVisible();
  const rows = await table.locator('tbody tr').all();
  return Promise.all(
    rows.map(async (row) => ({
      description: await row.locator('th bdi').first().innerText(),
      amount: Number(await row.locator('td data').last().getAttribute('value')),
    })),
  );
}

/** The customer's latest invoice, and the credit that came and went since an instant. */
async function made(api: Api, { customer }: Account, since: number) {
  const { customer: found } = await api.ask(
    `query Made($id: ID!) {
      customer(id: $id) {
        invoices(last: 1) {
          nodes { number lines { kind description amount periodStart periodEnd } }
        }
        meters(first: 1) {
          nodes { creditEntries(last: 20) { nodes { kind units createdAt } } }
        }
      }
    }`,
    { id: customer.id },
  );
  const [invoice] = found.invoices.nodes;
  const entries: { kind: string; units: string; createdAt: string }[] =
    found.meters.nodes[0].creditEntries.nodes;
  const credit = entries
    .filter(({ kind }) => kind === 'GRANT' || kind === 'REVOKE')
    .filter(({ createdAt }) => Date.parse(createdAt) >= since)
    .reduce((sum, { units }) => sum + Number(units), 0);
  return { invoice, credit };
}

test('a change now makes what its preview showed', async ({ dashboard, api, account }) => {
  const { main, dialog, press } = subscriptionTools(dashboard);
  const { id } = account.subscription;
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 1500 }]);
  await dashboard.goto(`/subscriptions/${id}`);
  // Counted: 500 units above the credit, at two cents.
  await expect(main.locator(`data[value="${FIXED + 1000}"]`).first()).toBeVisible();

  const since = Date.now();
  await press('Change');
  await expect(dialog.getByText(/^Choose another product or quantity/)).toBeVisible();
  await dialog.getByLabel('Quantity').fill('3');
  const preview = dialog.getByRole('region', { name: 'Invoiced now' });
  await expect(preview).toBeVisible();
  const shown = await linesIn(preview);
  const credit = preview
    .getByText(`Credit of ${account.meter.name}`)
    .locator('xpath=following::data[1]');
  const shownCredit = Number(await credit.getAttribute('value'));
  expect(shown.map(({ description }) => description)).toEqual([
    account.meter.name,
    `Unused time of ${account.product.name}`,
    `Remaining time of ${account.product.name} × 3`,
  ]);
  await dialog.getByRole('button', { name: 'Change now' }).click();
  await expect(dialog).toHaveCount(0);
  const until = Date.now();
  await expect(
    dashboard.getByRole('heading', { level: 1, name: `${account.product.name} × 3` }),
  ).toBeVisible();

  const { invoice, credit: moved } = await made(api, account, since);
  await expect(main.getByRole('link', { name: invoice.number, exact: true })).toBeVisible();
  expect(invoice.lines.map(({ description }: Line) => description)).toEqual(
    shown.map(({ description }) => description),
  );
  // Between the preview and the change, some of the period has passed.
  const { periodStart, periodEnd } = invoice.lines.at(-1);
  const passed = (until - since) / (Date.parse(periodEnd) - Date.parse(periodStart));
  for (const [place, { amount }] of invoice.lines.entries()) {
    const most = place === 0 ? 0 : 3 * FIXED * passed + 1;
    expect(Math.abs(amount - (shown[place]?.amount ?? 0))).toBeLessThanOrEqual(most);
  }
  expect(Math.abs(moved - shownCredit)).toBeLessThanOrEqual(2 * INCLUDED * passed + 1e-6);
});

test('a discount is set, shown on the next invoice, and removed', async ({
  dashboard,
  account,
}) => {
  const { dialog, main, press } = subscriptionTools(dashboard);
  await dashboard.goto(`/subscriptions/${account.subscription.id}`);
  const next = main.getByRole('region', { name: 'Next invoice' });
  const details = main.getByRole('region', { name: 'Details' });
  await expect(next).toBeVisible();
  await expect(next.getByText('Off the other lines')).toHaveCount(0);

  await press('Discount');
  await dialog.getByLabel('Percent off').fill('120');
  await dialog.getByLabel('For how many periods').fill('3');
  await dialog.getByRole('button', { name: 'Set discount' }).click();
  await expect(dialog.getByText('percentOff must be above 0 and at most 100.')).toBeVisible();
  await dialog.getByLabel('Percent off').fill('20');
  await dialog.getByRole('button', { name: 'Set discount' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(details).toContainText('20% off, for 3 periods with the current one');
  await expect(next.getByText('Off the other lines')).toBeVisible();

  await press('Discount');
  await dialog.getByText('No discount').click();
  await dialog.getByRole('button', { name: 'Remove discount' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(details).not.toContainText('Discount');
  await expect(next.getByText('Off the other lines')).toHaveCount(0);
});

test('what cannot be changed is said while one chooses', async ({ dashboard, api, account }) => {
  const { dialog, press } = subscriptionTools(dashboard);
  const name = `Euro plan of ${account.event}`;
  await monthlyProduct(api, name, 1, 'EUR');
  await dashboard.goto(`/subscriptions/${account.subscription.id}`);
  await press('Change');
  await dialog.getByRole('combobox', { name: 'Product' }).fill(name);
  await dashboard.getByRole('option', { name }).first().click();
  await expect(
    dialog.getByText(/The subscription is in USD, but this product is in EUR/),
  ).toBeVisible();
  await dialog.getByLabel('Quantity').fill('many');
  await dialog.getByRole('button', { name: 'Change now' }).click();
  await expect(dialog.getByText('Enter a whole number, such as 14.')).toBeVisible();
});

test('an invoice stays what it was when the product changes', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  const name = `Larger than ${account.event}`;
  const product = await monthlyProduct(api, name, 1);
  await api.ask(
    `mutation Change($id: ID!, $product: ID!) {
      customerSubscriptionChange(input: { id: $id, productId: $product }) {
        userErrors { message path }
      }
    }`,
    { id: account.subscription.id, product },
  );
  await dashboard.goto(`/invoices/${account.invoice.id}`);
  await expect(dashboard.getByRole('main').getByRole('link', { name })).toBeVisible();
  const printed = await printedText(dashboard);
  expect(printed).toContain(account.product.name);
  expect(printed).not.toContain(name);
  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  await portal.getByRole('link', { name: account.invoice.number }).click();
  await expect(portal.getByRole('rowheader', { name: account.product.name })).toBeVisible();
  await expect(portal.getByText(name)).toHaveCount(0);
});

test('a scheduled change shows everywhere, and can be undone', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  const { main, dialog, press } = subscriptionTools(dashboard);
  const next = `${account.product.name} × 5`;
  await dashboard.goto(`/subscriptions/${account.subscription.id}`);
  await press('Change');
  await dialog.getByLabel('Quantity').fill('5');
  await dialog.getByText(/^When the period ends/).click();
  const preview = dialog.getByRole('region', { name: 'Invoiced then, with the usage so far' });
  const shown = await linesIn(preview);
  expect(shown.at(-1)).toEqual({ description: next, amount: 5 * FIXED });
  await dialog.getByRole('button', { name: 'Schedule change' }).click();
  const card = main.getByRole('region', { name: 'Scheduled change' });
  await expect(card.getByRole('link', { name: next })).toBeVisible();
  await expect(main.getByText(/^Changes [A-Z]/)).toBeVisible();
  // The estimate of the next invoice is what the preview showed.
  const estimate = main.getByRole('region', { name: 'Next invoice' });
  await expect(estimate.getByText(next)).toBeVisible();
  expect(await linesIn(estimate)).toEqual(shown);

  const opened = await context.newPage();
  await opened.goto(await portalLink(api, account));
  await expect(opened.getByText(`Changes to ${next} on `)).toBeVisible();

  await press('Undo change');
  await dialog.getByRole('button', { name: 'Undo change' }).click();
  await expect(card).toHaveCount(0);
  await expect(main.getByText('Active', { exact: true })).toBeVisible();
  await opened.reload();
  await expect(opened.getByText(/^Renews on /)).toBeVisible();
});

test('a cancellation is resumed, and another one gives back the rest', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  const { main, dialog, press } = subscriptionTools(dashboard);
  const showLastInvoice = await hideLastInvoice(dashboard);
  await dashboard.goto(`/subscriptions/${account.subscription.id}`);
  await press('Cancel');
  await dialog.getByRole('button', { name: 'Schedule cancellation' }).click();
  await expect(main.getByText(/^Ends [A-Z]/)).toBeVisible();
  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  await expect(portal.getByText(/^Ends on /)).toBeVisible();

  await press('Resume');
  await dialog.getByRole('button', { name: 'Resume' }).click();
  await expect(main.getByText('Active', { exact: true })).toBeVisible();

  await press('Cancel');
  await dialog.getByText('Now', { exact: true }).click();
  await dialog.getByText('Give back the fixed prices').click();
  await dialog.getByRole('button', { name: 'End subscription now' }).click();
  await expect(main.getByText('Ended', { exact: true }).first()).toBeVisible();
  await expect(main.getByText('Issued as soon as all usage is counted.')).toBeVisible();
  await expect(main.getByRole('button', { name: 'Change', exact: true })).toHaveCount(0);
  // A worker makes the invoice a moment later if events are waiting to be counted.
  const latest = async () => (await made(api, account, 0)).invoice;
  await expect
    .poll(async () => (await latest()).lines.at(-1))
    .toMatchObject({
      kind: 'PRORATION',
      description: `Unused time of ${account.product.name}`,
    });
  await showLastInvoice();
  const { number, lines } = await latest();
  const back = lines.at(-1);
  await expect(main.getByRole('link', { name: number, exact: true })).toBeVisible();
  await expect(main.getByText('Issued as soon as all usage is counted.')).toHaveCount(0);
  // Some of the month has passed, but not a day.
  expect(back.amount).toBeGreaterThanOrEqual(-FIXED);
  expect(back.amount).toBeLessThan(-FIXED * 0.96);
  await portal.reload();
  await expect(portal.getByRole('heading', { name: account.product.name })).toHaveCount(0);
});

/**
 * Answers the page of a subscription that has ended as if its last invoice was not made yet, until
 * the returned function is called.
 */
async function hideLastInvoice(page: Page): Promise<() => Promise<void>> {
  let before: object | null = null;
  await page.route('**/graphql', async (route) => {
    const sent = route.request().postData() ?? '';
    if (!sent.includes('query SubscriptionPage')) {
      return route.fallback();
    }
    const answer = await route.fetch();
    const { data, ...rest } = await answer.json();
    const { subscription } = data;
    if (subscription.endedAt === null) {
      const { upcomingInvoice, invoices } = subscription;
      before = { upcomingInvoice, invoices };
    } else {
      data.subscription = { ...subscription, ...before };
    }
    return route.fulfill({ response: answer, json: { data, ...rest } });
  });
  return () => page.unrouteAll({ behavior: 'wait' });
}
