import { type Account, consumedUnits, portalLink } from './harness/data';
import { exactly, expect, test } from './harness/test';
import { appeared, watchFor } from './harness/watching';

const EVENTS = 5;

test('usage moves on screen without a reload', async ({ dashboard, api, account }) => {
  await dashboard.goto(`/customers/${account.customer.id}`);
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 1 }]);
  const table = dashboard.getByRole('table', { name: 'Usage by meter' });
  await expect(table.locator(exactly(1)).first()).toBeVisible();
  await dashboard.evaluate(() => Object.assign(window, { isSame: true }));

  for (let sent = 1; sent <= EVENTS; sent += 1) {
    await watchFor(dashboard, String(sent + 1));
    await api.send([{ name: account.event, customer: account.customer.externalId, units: 1 }]);
    await appeared(dashboard);
  }
  expect(await dashboard.evaluate(() => 'isSame' in window)).toBe(true);
  expect(await consumedUnits(api, account)).toBe(String(EVENTS + 1));
});

test('every tab moves, the portal too, and all agree with the API', async ({
  dashboard,
  api,
  account,
  context,
}) => {
  await dashboard.goto(`/customers/${account.customer.id}`);
  const other = await context.newPage();
  await other.goto(`/meters/${account.meter.id}`);
  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  await expect(portal.getByRole('heading', { name: account.customer.name })).toBeVisible();
  await expect(other.getByRole('heading', { level: 1, name: account.meter.name })).toBeVisible();

  await api.send(unitsOf(account, [700, 4_321]));
  for (const page of [dashboard, other, portal]) {
    await expect(page.locator(exactly(5021)).first()).toBeAttached();
  }
  // 4,021 units over the credit, at 2 cents each, and the next month in advance.
  await expect(portal.locator(exactly(123_456 + 8042)).first()).toBeVisible();
  expect(await consumedUnits(api, account)).toBe('5021');
});

test('an event sent meanwhile appears in the tail, and pausing holds it back', async ({
  dashboard,
  api,
  account,
}) => {
  await dashboard.goto('/events');
  const rows = dashboard.getByRole('table', { name: 'Events' }).getByRole('row');
  await expect(rows.nth(1).locator('time')).toBeVisible();
  await api.send(unitsOf(account, [11]));
  await expect(rows.filter({ hasText: account.event })).toHaveCount(1);
  await dashboard.getByRole('button', { name: 'Pause' }).click();
  await api.send(unitsOf(account, [12]));
  await expect(dashboard.getByRole('button', { name: 'Resume (1 new)' })).toBeVisible();
  await expect(rows.filter({ hasText: account.event })).toHaveCount(1);
  await dashboard.getByRole('button', { name: 'Resume' }).click();
  await expect(rows.filter({ hasText: account.event })).toHaveCount(2);
});

function unitsOf({ event, customer }: Account, units: readonly number[]) {
  return units.map((each) => ({ name: event, customer: customer.externalId, units: each }));
}
