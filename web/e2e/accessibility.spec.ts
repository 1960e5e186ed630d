import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { portalLink } from './harness/data';
import { EXAMPLE } from './harness/everything';
import { dashboardPages, dialogs } from './harness/places';
import { expect, signedIn, test } from './harness/test';
import { transitionsEnd } from './harness/transitions';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

for (const [section, places] of bySection(dashboardPages(EXAMPLE))) {
  test(`pages of ${section}`, async ({ page, url, everything }) => {
    const dashboard = await signedIn(page, url, everything.api);
    const pages = dashboardPages(everything);
    for (const place of places) {
      const { path, heading } = pages[place] as (typeof pages)[number];
      await dashboard.goto(path);
      await expect(dashboard.getByRole('heading', { name: heading }).first()).toBeVisible();
      await check(dashboard, path);
    }
  });
}

for (const [section, places] of bySection(dialogs(EXAMPLE))) {
  test(`dialogs of ${section}`, async ({ page, url, everything }) => {
    const dashboard = await signedIn(page, url, everything.api);
    const all = dialogs(everything);
    for (const place of places) {
      const { path, open } = all[place] as (typeof all)[number];
      await dashboard.goto(path);
      await open(dashboard);
      await expect(dashboard.getByRole('dialog')).toBeVisible();
      await check(dashboard, `dialog ${place}, of ${path}`);
    }
  });
}

test('the portal, and the sign-in page', async ({ page, everything, expectErrors }) => {
  expectErrors(/status of 401/);
  await page.goto('/');
  await expect(page.getByLabel('Access token')).toBeVisible();
  await check(page, 'sign-in');
  await page.goto('/portal');
  await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible();
  await check(page, 'portal, expired');
  await page.goto(await portalLink(everything.api, everything));
  await expect(page.getByRole('heading', { name: everything.customer.name })).toBeVisible();
  await check(page, 'portal');
  await page.getByRole('link', { name: everything.invoice.number }).click();
  await expect(page.getByRole('heading', { name: /^Invoice/ })).toBeVisible();
  await check(page, 'an invoice in the portal');
});

test('an organization with nothing', async ({ page, empty }) => {
  await page.goto(`/#token=${empty.token}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  for (const path of ['/', '/meters', '/events', '/customers', '/products', '/invoices']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await check(page, path);
  }
});

/** The indices of places by the first part of their path. */
function bySection(places: readonly { path: string }[]): [string, number[]][] {
  const sections = new Map<string, number[]>();
  for (const [place, { path }] of places.entries()) {
    const section = path.split(/[/?]/)[1] || 'the overview';
    sections.set(section, [...(sections.get(section) ?? []), place]);
  }
  return [...sections];
}

/** In both themes, wide and narrow. What does not depend on the theme is looked at in one. */
async function check(page: Page, where: string): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: 'light' });
    await transitionsEnd(page);
    await checkNow(axeOf(page), `${where}, light, ${size.width} px`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await transitionsEnd(page);
    const contrast = axeOf(page).withRules(['color-contrast']);
    await checkNow(contrast, `${where}, dark, ${size.width} px`);
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect.soft(excess, `${where} is wider than ${size.width} px`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize(SIZES[0] ?? { width: 1440, height: 900 });
}

async function checkNow(axe: AxeBuilder, where: string): Promise<void> {
  const { violations } = await axe.analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  expect.soft(found, where).toEqual([]);
}

/**
 * Without frames, for which it would open a page each time, and the 400 zones, which the browser draws.
 * What passes is not described, which would take most of the time.
 */
function axeOf(page: Page): AxeBuilder {
  return new AxeBuilder({ page })
    .options({ resultTypes: ['violations'], preload: false })
    .setLegacyMode()
    .exclude('option');
}
