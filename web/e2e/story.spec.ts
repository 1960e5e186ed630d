import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { printedText } from './harness/printed';
import { exactly, expect, test } from './harness/test';

/** From product to invoice, as the README has it, without typing a query. */
test('meter, product, subscription, usage, invoice and portal by clicks', async ({
  dashboard: page,
  api,
  url,
  context,
  metergraph,
  organization,
}) => {
  const mark = randomBytes(4).toString('hex');
  const event = `calls_${mark}`;
  const [meter, product, customer] = [`Tokens ${mark}`, `AI plan ${mark}`, `Pied Piper ${mark}`];
  await page.goto('/');
  const send = (units: number) => api.send([{ name: event, customer: mark, units }]);
  await send(1000);

  await test.step('a meter, with a preview of what is there', async () => {
    await goTo(page, 'Meters');
    await page.getByRole('link', { name: 'New meter' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill(meter);
    await page.getByLabel('Unit (optional)').fill('token');
    await enter(page, 'Event name', event);
    await page.getByLabel('Usage is the').selectOption('SUM');
    await enter(page, 'Of the property', 'units');
    await expect(page.locator(exactly(1000)).first()).toBeVisible();
    await expect(page.getByText('1 event matches')).toBeVisible();
    await page.getByRole('button', { name: 'Create meter' }).click();
    await expect(page.getByRole('heading', { level: 1, name: meter })).toBeVisible();
    await expect(page.locator('main').locator(exactly(1000)).first()).toBeVisible();
  });

  await test.step('a customer’s name', async () => {
    await goTo(page, 'Customers');
    await page.getByRole('link', { name: mark, exact: true }).click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill(customer);
    await page.getByRole('dialog').getByRole('button', { name: /^Save/ }).click();
    await expect(page.getByRole('heading', { level: 1, name: customer })).toBeVisible();
  });

  await test.step('a product with a fixed and a metered price, and credit', async () => {
    await goTo(page, 'Products');
    await page.getByRole('link', { name: 'New product' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill(product);
    await page.getByLabel('Amount, USD').fill('20');
    await page.getByRole('button', { name: 'Add metered price' }).click();
    await choose(page, 'Meter', meter);
    await page.getByLabel('Pricing').selectOption('PACKAGE');
    await page.getByLabel('Units in a package').fill('100000');
    await page.getByLabel('Price of a package, USD').fill('0.40');
    await page.getByRole('button', { name: 'New benefit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Description').fill('1,000,000 tokens a month');
    await choose(page, 'Meter', meter, dialog);
    await dialog.getByLabel('Units each period').fill('1000000');
    await dialog.getByRole('button', { name: 'Create benefit' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.getByRole('button', { name: 'Create product' }).click();
    await expect(page.getByRole('heading', { level: 1, name: product })).toBeVisible();
  });

  await test.step('a subscription', async () => {
    await goTo(page, 'Subscriptions');
    await page.getByRole('link', { name: 'New subscription' }).first().click();
    await choose(page, 'Customer', customer);
    await choose(page, 'Product', product);
    await page.getByRole('button', { name: 'Subscribe customer' }).click();
    await expect(page.locator('main').getByText(product).first()).toBeVisible();
  });

  await test.step('usage moves, and with it what the invoice would be', async () => {
    await send(1_150_000);
    // Two packages of 40 cents, and the next month’s 20 dollars.
    await expect(page.locator('main').locator(exactly(2080)).first()).toBeVisible();
  });

  await test.step('a preview says what a second plan would cost now', async () => {
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Quantity').fill('2');
    const preview = dialog.getByRole('region', { name: 'Invoiced now' });
    await expect(preview.getByText(`Remaining time of ${product} × 2`)).toBeVisible();
    await expect(preview.locator(exactly(80)).first()).toBeVisible();
    await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await expect(dialog).toHaveCount(0);
  });

  await test.step('the first invoice was issued in advance', async () => {
    await goTo(page, 'Invoices');
    const { customer: found } = await api.ask(
      'query($id: String!) { customer(externalId: $id) { invoices(first: 1) { nodes { number } } } }',
      { id: mark },
    );
    const [{ number }] = found.invoices.nodes;
    await page.getByRole('link', { name: number, exact: true }).click();
    await expect(page.locator('main').locator(exactly(2000)).first()).toBeVisible();
  });

  const portal =
    await test.step('a link to the portal shows the same to the customer', async () => {
      await page.getByRole('main').getByRole('link', { name: customer }).click();
      await page.getByRole('button', { name: 'Portal link' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Create link' }).click();
      const link = page.getByRole('dialog').getByRole('link', { name: /^Open portal/ });
      const [opened] = await Promise.all([context.waitForEvent('page'), link.click()]);
      await expect(opened.getByRole('heading', { name: customer })).toBeVisible();
      await expect(opened.locator(exactly(2080)).first()).toBeVisible();
      await send(50_000);
      await expect(opened.locator(exactly(1_200_000)).first()).toBeAttached();
      return opened;
    });

  await test.step('a cycle renews the subscription, and its invoice can be printed', async () => {
    const { customer: before } = await api.ask(
      'query($id: String!) { customer(externalId: $id) { subscriptions(first: 1) { nodes { id currentPeriodEnd } } } }',
      { id: mark },
    );
    const [{ id, currentPeriodEnd }] = before.subscriptions.nodes;
    const said = await metergraph(
      ...['cycle', '--organization', organization, '--at', currentPeriodEnd, '--yes'],
    );
    expect(said).toMatch(/periods? renewed/);
    const invoices = async (): Promise<{ number: string; total: number }[]> => {
      const { customer: after } = await api.ask(
        'query($id: String!) { customer(externalId: $id) { invoices(last: 5) { nodes { number total } } } }',
        { id: mark },
      );
      return after.invoices.nodes;
    };
    // A worker makes the second one a moment later if events are waiting to be counted.
    await expect
      .poll(async () => (await invoices()).map(({ total }) => total).sort())
      .toEqual([2000, 2080]);
    const number = (await invoices()).find(({ total }) => total === 2080)?.number ?? '';
    await page.goto(`/subscriptions/${id}`);
    await page.getByRole('link', { name: number, exact: true }).click();
    await expect(page.getByRole('heading', { name: `Invoice ${number}` })).toBeVisible();
    await expect(page.locator('main').locator(exactly(2080)).first()).toBeVisible();
    const printed = await printedText(page);
    for (const text of [number, customer, product, '20.80', '0.80', '1,200,000']) {
      expect(printed).toContain(text);
    }
    await portal.reload();
    await expect(portal.getByText(number, { exact: true })).toBeVisible();
  });
  expect(new URL(page.url()).origin).toBe(new URL(url).origin);
});

async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
}

/** Types into an input with suggestions, and goes on. */
async function enter(page: Page, label: string, text: string): Promise<void> {
  const input = page.getByRole('combobox', { name: label });
  await input.fill(text);
  await input.press('Tab');
}

/** Chooses from a list that typing narrows. */
async function choose(
  page: Page,
  label: string,
  text: string,
  within: { getByRole: Page['getByRole'] } = page,
): Promise<void> {
  await within.getByRole('combobox', { name: label, exact: true }).fill(text);
  await page.getByRole('option', { name: text }).first().click();
}
