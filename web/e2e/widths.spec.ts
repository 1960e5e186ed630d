import type { Page } from '@playwright/test';
import { expect, openSession, signedIn, test } from './harness/test';

/** What a table lacks of the room for all of its columns, at a width of the screen. */
async function hidden(page: Page, label: string, width: number): Promise<number> {
  await page.setViewportSize({ width, height: 900 });
  const table = page.getByRole('group', { name: label });
  const shown = table.locator('tbody').locator('a, button, data').filter({ visible: true });
  await expect(shown.first()).toBeVisible();
  return await table.evaluate((element) => element.scrollWidth - element.clientWidth);
}

test('usage and balance shows all columns on a tablet', async ({ page, url, demo }) => {
  const { customer } = await demo.ask('{ customer(externalId: "globex") { id } }');
  await signedIn(page, url, demo);
  await page.goto(`/customers/${customer.id}`);
  for (const width of [768, 1024]) {
    expect(await hidden(page, 'Usage by meter', width), `${width} px`).toBe(0);
  }
});

test('tables of credit, events and simulations show all columns at every width', async ({
  page,
  context,
  url,
  everything,
}) => {
  const { api, customer, meter, simulation, product } = everything;
  await context.addCookies(await openSession(url, api));
  for (const [path, label] of [
    [`/customers/${customer.id}?part=credits`, `Grants of ${meter.name}`],
    ['/events', 'Events'],
    [`/simulations/${simulation.id}`, 'Customers who would pay more'],
  ] as const) {
    await page.goto(path);
    for (const width of [375, 768, 1024, 1440]) {
      expect(await hidden(page, label, width), `${label}, ${width} px`).toBe(0);
    }
  }

  await test.step('tiers are entered on a phone', async () => {
    await page.setViewportSize({ width: 375, height: 900 });
    await page.goto(`/products/${product.id}/simulate`);
    await page.getByLabel('Pricing').selectOption({ value: 'GRADUATED' });
    for (const name of ['Flat fee of tier 1', 'Remove tier 1']) {
      const { x, width } = (await page.getByLabel(name).boundingBox()) ?? { x: 0, width: 0 };
      expect(x + width, name).toBeGreaterThan(0);
      expect(x + width, name).toBeLessThan(375 - 16);
    }
  });
});
