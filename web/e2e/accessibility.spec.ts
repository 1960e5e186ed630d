import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { Api } from './harness/api';
import { type Account, portalLink } from './harness/data';
import { dashboardPages, dialogs } from './harness/places';
import { expect, test } from './harness/test';

const THEMES = ['light', 'dark'] as const;
const WIDTHS = [390, 1440];

for (const colorScheme of THEMES) {
  for (const width of WIDTHS) {
    test.describe(`${colorScheme}, ${width} px wide`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });
      test.setTimeout(300_000);

      test('every page of the dashboard', async ({ dashboard, api, url, account }) => {
        await use(api, account);
        for (const { path, heading } of dashboardPages(account)) {
          await dashboard.goto(`${url}${path}`);
          await expect(dashboard.getByRole('heading', { level: 1, name: heading })).toBeVisible();
          await check(dashboard, path);
        }
      });

      test('every dialog', async ({ dashboard, url, account }) => {
        for (const { path, open } of dialogs(account)) {
          await dashboard.goto(`${url}${path}`);
          await open(dashboard);
          await expect(dashboard.getByRole('dialog')).toBeVisible();
          await check(dashboard, `${path} dialog`);
        }
      });

      test('the portal, and the sign-in page', async ({
        page,
        api,
        url,
        account,
        expectErrors,
      }) => {
        expectErrors(/status of 401/);
        await use(api, account);
        await page.goto(url);
        await expect(page.getByLabel('Access token')).toBeVisible();
        await check(page, 'sign-in');
        await page.goto(`${url}/portal`);
        await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible();
        await check(page, 'portal, expired');
        await page.goto(await portalLink(api, account));
        await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
        await check(page, 'portal');
      });
    });
  }
}

test('an organization with nothing', async ({ page, stranger, url }) => {
  await page.goto(`${url}/#token=${stranger.token}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  for (const path of ['/', '/meters', '/events', '/customers', '/products', '/invoices']) {
    await page.goto(`${url}${path}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await check(page, path);
  }
});

async function use(api: Api, { event, customer }: Account): Promise<void> {
  await api.send([{ name: event, customer: customer.externalId, units: 1500 }]);
}

async function check(page: Page, where: string): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  expect.soft(found, where).toEqual([]);
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect.soft(excess, `${where}: wider than the screen`).toBeLessThanOrEqual(0);
}
