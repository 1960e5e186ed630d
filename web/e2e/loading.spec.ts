import type { Page } from '@playwright/test';
import { expect, openSession, test } from './harness/test';

/** Chromium's own measure of jumps: below 0.1 is good. */
const MOST_SHIFT = 0.1;

/** Pages with much on them. */
test.beforeEach(async ({ context, url, demo }) => {
  await context.addCookies(await openSession(url, demo));
});

for (const [name, path] of [
  ['Overview', '/'],
  ['Meters', '/meters'],
  ['Events', '/events'],
  ['Customers', '/customers'],
  ['Products', '/products'],
  ['Subscriptions', '/subscriptions'],
  ['Invoices', '/invoices'],
] as const) {
  test(`a slow API: ${name} shows its layout, and does not jump`, async ({ page }) => {
    const release = await holdAnswers(page);
    await page.goto(path);
    const ghosts = page.getByRole('main').locator('[aria-hidden="true"]:not(svg)');
    await expect(ghosts.first()).toBeVisible();
    // The organization's zone, without which no page can ask for anything.
    release.first();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
    await expect(ghosts.first()).toBeVisible();
    await page.evaluate(() => {
      const total = { shift: 0 };
      Object.assign(window, { total });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          total.shift += (entry as PerformanceEntry & { value: number }).value;
        }
      }).observe({ type: 'layout-shift' });
    });
    release.rest();
    await expect(page.locator('main data, main time').first()).toBeVisible();
    await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
    const shift = await page.evaluate(
      () => (window as unknown as { total: { shift: number } }).total.shift,
    );
    expect(shift).toBeLessThan(MOST_SHIFT);
  });
}

test('a failing API says what to do, and trying again helps', async ({ page, expectErrors }) => {
  expectErrors(/ERR_FAILED/);
  await page.goto('/products');
  await expect(page.getByRole('table', { name: 'Products' })).toBeVisible();
  await page.route('**/graphql', (route) => route.abort());
  await page.getByRole('link', { name: 'Invoices', exact: true }).click();
  const alert = page.getByRole('alert').first();
  await expect(alert).toContainText('Can’t reach Metergraph');
  await page.unroute('**/graphql');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('table', { name: 'Invoices' })).toBeVisible();
});

test('below a path of another site, the page says what is wrong', async ({
  page,
  expectErrors,
}) => {
  expectErrors(/404|MIME type/);
  await page.route('**/*', async (route) => {
    const { pathname, origin } = new URL(route.request().url());
    if (pathname.startsWith('/usage/')) {
      const response = await route.fetch({ url: origin + pathname.replace('/usage', '') });
      await route.fulfill({ response });
    } else {
      // The other site has nothing of Metergraph’s.
      await route.fulfill({ status: 404, body: 'Not found' });
    }
  });
  await page.goto('/usage/');
  await expect(page.getByText('Metergraph needs a host name of its own')).toBeVisible();
  await page.goto('/usage/portal');
  await expect(page.getByText('This page could not be loaded.')).toBeVisible();
});

/** Holds all answers of the API back: those about the organization, and the rest. */
async function holdAnswers(page: Page): Promise<{ first(): void; rest(): void }> {
  const first = gate();
  const rest = gate();
  await page.route('**/graphql', async (route) => {
    const isFirst = route.request().postData()?.includes('query Shell') ?? false;
    await (isFirst ? first : rest).passed;
    await route.continue();
  });
  return { first: first.open, rest: rest.open };
}

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}
