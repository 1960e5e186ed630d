import type { Page } from '@playwright/test';
import { makeAccount } from './harness/data';
import { expect, test } from './harness/test';

test('the keyboard alone reaches every page, and the focus can be seen', async ({ dashboard }) => {
  await dashboard.goto('/');
  await expect(dashboard.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await dashboard.keyboard.press('Tab');
  await expect(dashboard.getByRole('link', { name: 'Skip to the page' })).toBeFocused();
  for (const name of ['Meters', 'Events', 'Customers', 'Products', 'Subscriptions', 'Invoices']) {
    const link = dashboard.getByRole('navigation').getByRole('link', { name, exact: true });
    await tabTo(dashboard, name);
    await expect(link).toBeFocused();
    const outline = await link.evaluate((element) => getComputedStyle(element).outlineStyle);
    expect(outline, `focus of ${name}`).not.toBe('none');
    await dashboard.keyboard.press('Enter');
    await expect(dashboard.getByRole('heading', { level: 1, name })).toBeVisible();
  }
});

test('the palette goes to a customer, a meter and a page by name', async ({
  dashboard,
  account,
}) => {
  await dashboard.goto('/');
  await expect(dashboard.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  for (const [text, heading] of [
    [account.customer.name, account.customer.name],
    [account.meter.name, account.meter.name],
    [account.product.name, account.product.name],
    ['Invoi', 'Invoices'],
  ] as const) {
    await dashboard.keyboard.press('Control+k');
    const box = dashboard.getByRole('combobox', { name: /^Find a page/ });
    await expect(box).toBeFocused();
    await dashboard.keyboard.type(text);
    await expect(
      dashboard.getByRole('dialog').getByRole('option', { selected: true }),
    ).toContainText(heading);
    await dashboard.keyboard.press('Enter');
    await expect(dashboard.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    await expect(dashboard.getByRole('dialog')).toHaveCount(0);
  }
});

test('the palette opens nothing that an earlier text has found', async ({
  dashboard,
  api,
  account,
}) => {
  const other = await makeAccount(api);
  await dashboard.goto('/settings');
  await expect(dashboard.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await dashboard.route('**/graphql', async (route) => {
    if (route.request().postData()?.includes(other.customer.name)) {
      await held;
    }
    await route.continue();
  });

  await dashboard.keyboard.press('Control+k');
  const box = dashboard.getByRole('combobox', { name: /^Find a page/ });
  const options = dashboard.getByRole('dialog').getByRole('option');
  await box.fill(account.customer.name);
  await expect(options.first()).toContainText(account.customer.name);
  const asked = dashboard.waitForRequest((request) =>
    Boolean(request.postData()?.includes(other.customer.name)),
  );
  await box.fill(other.customer.name);
  await expect(options).toHaveCount(0);
  await box.press('Enter');
  await asked;
  await expect(options).toHaveCount(0);
  await box.press('Enter');
  expect(new URL(dashboard.url()).pathname).toBe('/settings');

  answer();
  await expect(options.first()).toContainText(other.customer.name);
  await box.press('Enter');
  await expect(
    dashboard.getByRole('heading', { level: 1, name: other.customer.name }),
  ).toBeVisible();
});

test('Escape closes the palette, and the focus is where it was', async ({ dashboard }) => {
  await dashboard.goto('/');
  const link = dashboard.getByRole('link', { name: 'Meters', exact: true });
  await link.focus();
  await dashboard.keyboard.press('Control+k');
  await expect(dashboard.getByRole('dialog')).toBeVisible();
  await dashboard.keyboard.press('Escape');
  await expect(dashboard.getByRole('dialog')).toHaveCount(0);
  await expect(link).toBeFocused();
});

test('a chart is read with the arrow keys', async ({ dashboard, api, account }) => {
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 77 }]);
  await dashboard.goto(`/meters/${account.meter.id}`);
  const chart = dashboard
    .locator('main svg[tabindex="0"], main [role="img"][tabindex="0"]')
    .first();
  await chart.focus();
  await dashboard.keyboard.press('End');
  await expect(
    dashboard.locator('main').getByText('77 unit', { exact: false }).first(),
  ).toBeVisible();
});

/** Presses Tab until the link has the focus; there are not many stops before it. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 100; presses += 1) {
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (focused === name) {
      return;
    }
    await page.keyboard.press('Tab');
  }
}
