import { portalLink } from './harness/data';
import { monthlyProduct, subscriptionTools } from './harness/subscriptions';
import { expect, test } from './harness/test';

const DAY = 86_400_000;

test('a product has a trial, and a subscription begins with it', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  const { main } = subscriptionTools(dashboard);
  const name = `Seats of ${account.event}`;
  await dashboard.goto('/products/new');
  await dashboard.getByLabel('Name', { exact: true }).fill(name);
  await dashboard.getByLabel('Amount, USD').fill('20');
  const days = dashboard.getByLabel('Free trial, in days');
  await days.fill('731');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByText('trialDays must be from 1 to 730.')).toBeVisible();
  await days.fill('14');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(main.getByText('14 days')).toBeVisible();

  await dashboard.goto(`/subscriptions/new?customer=${account.customer.id}`);
  await dashboard.getByRole('combobox', { name: 'Product' }).fill(name);
  await dashboard.getByRole('option', { name }).first().click();
  await expect(dashboard.getByText(/^The first charge is on /)).toBeVisible();
  await expect(dashboard.getByLabel('Free trial, in days')).toHaveAttribute('placeholder', '14');
  await dashboard.getByLabel('Quantity').fill('2');
  await dashboard.getByRole('button', { name: 'Subscribe customer' }).click();
  await expect(dashboard.getByRole('heading', { level: 1, name: `${name} × 2` })).toBeVisible();
  await expect(main.getByText(/^Trial until /)).toBeVisible();
  await expect(main.getByText(/^First charged in 1[34] days$/)).toBeVisible();
  // It is free until then, and costs twice 20 dollars afterwards.
  await expect(main.getByText('No invoices yet')).toBeVisible();
  await expect(main.locator('data[value="4000"]').first()).toBeVisible();

  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  const card = portal.getByRole('region', { name: `${name} × 2` });
  await expect(card.getByText('Free trial')).toBeVisible();
  await expect(card.getByText(/^Trial ends on .*, then you are charged$/)).toBeVisible();
  await dashboard.goto(`/customers/${account.customer.id}?part=subscriptions`);
  await expect(main.getByText(/^Trial until /)).toBeVisible();
});

test('a subscription starts later, with a trial of its own', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  const { main, dialog, press } = subscriptionTools(dashboard);
  const name = `Later of ${account.event}`;
  const product = await monthlyProduct(api, name, 700);
  const start = new Date(Date.now() + 10 * DAY).toISOString().slice(0, 16);
  await dashboard.goto(`/subscriptions/new?customer=${account.customer.id}&product=${product}`);
  await dashboard.getByText('Later', { exact: true }).click();
  await dashboard.getByRole('button', { name: 'Subscribe customer' }).click();
  await expect(dashboard.getByText('Enter when it begins.')).toBeVisible();
  await dashboard.getByLabel(/^Begins at/).fill(start);
  await dashboard.getByLabel('Free trial, in days').fill('7');
  await dashboard.getByRole('button', { name: 'Subscribe customer' }).click();
  await expect(main.getByText(/^Starts [A-Z]/)).toBeVisible();

  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  const card = portal.getByRole('region', { name });
  await expect(card.getByText(/^Begins with a free trial until /)).toBeVisible();

  const { subscriptions } = await api.ask(
    `query Later($customer: ID!) {
      subscriptions(customerId: $customer, status: SCHEDULED) {
        nodes { startedAt trialEndsAt quantity }
      }
    }`,
    { customer: account.customer.id },
  );
  const [scheduled] = subscriptions.nodes;
  expect(Date.parse(scheduled.startedAt)).toBe(Date.parse(`${start}Z`));
  expect(Date.parse(scheduled.trialEndsAt) - Date.parse(scheduled.startedAt)).toBe(7 * DAY);

  await press('Change');
  await dialog.getByLabel('Quantity').fill('4');
  await expect(dialog.getByRole('region', { name: 'Invoiced when it starts' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Change subscription' }).click();
  await expect(dashboard.getByRole('heading', { level: 1, name: `${name} × 4` })).toBeVisible();
  await press('Cancel');
  await dialog.getByRole('button', { name: 'End subscription now' }).click();
  await expect(main.getByText('Ended', { exact: true }).first()).toBeVisible();
});
