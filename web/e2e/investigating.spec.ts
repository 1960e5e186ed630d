import type { Page } from '@playwright/test';
import { endSubscription } from './harness/data';
import { exactly, expect, test } from './harness/test';

/** “My invoice is wrong”: from its line to the events of one day. */
test('an invoice leads to what was counted, and that to one day', async ({
  dashboard,
  api,
  account,
}) => {
  const { event, customer } = account;
  const started = Date.now() - 5 * 86_400_000;
  const day = (number: number) => new Date(started + number * 86_400_000);
  const invoice = await test.step('an invoice of some usage', async () => {
    // Before the subscription began, so that no period has it.
    await api.send([
      { name: event, customer: customer.externalId, units: 40, timestamp: day(1).toISOString() },
      { name: event, customer: customer.externalId, units: 2, timestamp: day(1).toISOString() },
      { name: event, customer: customer.externalId, units: 500, timestamp: day(3).toISOString() },
    ]);
    await api.send([
      { name: event, customer: customer.externalId, units: 1010 },
      { name: event, customer: 'somebody-else', units: 7 },
    ]);
    return endSubscription(api, account);
  });

  await test.step('its line leads to the usage of its period, to the unit', async () => {
    await dashboard.goto(`/invoices/${invoice.id}`);
    await dashboard.getByRole('link', { name: 'Show usage' }).click();
    await expect(dashboard.getByRole('button', { name: customer.name })).toBeVisible();
    await expect(dashboard.getByRole('main').locator(exactly(1010)).first()).toBeVisible();
    await expect(eventRows(dashboard)).toHaveCount(1);
    await expect(eventRows(dashboard)).toContainText('1010');
  });

  await test.step('a day of the chart leads to its events', async () => {
    await dashboard.getByLabel('Range').selectOption('7d');
    await expect(eventRows(dashboard)).toHaveCount(4);
    await dashboard.getByRole('img', { name: /: 42 units/ }).click();
    await expect(eventRows(dashboard)).toHaveCount(2);
    await expect(dashboard.getByRole('main').locator(exactly(42)).first()).toBeVisible();
    await dashboard.goBack();
    await expect(eventRows(dashboard)).toHaveCount(4);
  });

  await test.step('so does its page of events', async () => {
    const date = day(3).toISOString().slice(0, 10);
    await dashboard.goto(`/events?customer=${customer.id}&from=${date}&to=${date}`);
    const rows = dashboard.getByRole('table', { name: 'Events' }).locator('tbody tr');
    await expect(rows).toHaveCount(1);
    await expect(rows).toContainText('500');
    // It stands still.
    await expect(dashboard.getByText('Live', { exact: true })).toHaveCount(0);
  });
});

function eventRows(page: Page) {
  return page.getByRole('table', { name: 'Events of the meter' }).locator('tbody tr');
}
