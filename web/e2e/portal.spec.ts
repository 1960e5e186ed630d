import { portalLink } from './harness/data';
import { exactly, expect, test } from './harness/test';

test('the portal lists every invoice and opens each by its address', async ({
  page,
  api,
  account,
}) => {
  const { productCreate } = await api.ask(
    `mutation {
      productCreate(input: {
        name: "Add-on", recurringInterval: YEAR, prices: [{ fixed: { currency: "USD", amount: 7 } }]
      }) { product { id } userErrors { message path } }
    }`,
  );
  // Together with the account's own, more than a page of invoices.
  for (let more = 0; more < 12; more += 1) {
    await api.ask(
      `mutation Subscribe($customer: ID!, $product: ID!) {
        customerSubscriptionCreate(input: { customerId: $customer, productId: $product }) {
          userErrors { message path }
        }
      }`,
      { customer: account.customer.id, product: productCreate.product.id },
    );
  }
  await page.goto(await portalLink(api, account));
  const invoices = page.getByRole('region', { name: 'Invoices' });
  await expect(invoices.getByRole('row')).toHaveCount(1 + 12);
  await invoices.getByRole('button', { name: 'Show more' }).click();
  await expect(invoices.getByRole('row')).toHaveCount(1 + 13);
  await expect(invoices.getByRole('button', { name: 'Show more' })).toHaveCount(0);

  // The oldest, which is on the last page.
  await invoices.getByRole('link', { name: account.invoice.number }).click();
  const heading = page.getByRole('heading', { name: `Invoice ${account.invoice.number}` });
  await expect(heading).toBeVisible();
  await page.reload();
  await expect(heading).toBeVisible();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
});

test('the portal shows every subscription that has not ended', async ({ page, api, account }) => {
  const { productCreate } = await api.ask(
    `mutation {
      productCreate(input: {
        name: "Seat", recurringInterval: YEAR, prices: [{ fixed: { currency: "USD", amount: 7 } }]
      }) { product { id } userErrors { message path } }
    }`,
  );
  // Together with the account's own, eleven that have not ended, and one that has.
  for (let more = 0; more < 11; more += 1) {
    const { customerSubscriptionCreate } = await api.ask(
      `mutation Subscribe($customer: ID!, $product: ID!) {
        customerSubscriptionCreate(input: { customerId: $customer, productId: $product }) {
          subscription { id }
          userErrors { message path }
        }
      }`,
      { customer: account.customer.id, product: productCreate.product.id },
    );
    if (more === 0) {
      await api.ask(
        `mutation End($id: ID!) {
          customerSubscriptionCancel(input: { id: $id, when: NOW }) { userErrors { message path } }
        }`,
        { id: customerSubscriptionCreate.subscription.id },
      );
    }
  }
  await page.goto(await portalLink(api, account));
  const cards = page.getByRole('region').filter({ hasText: 'Current period' });
  await expect(cards).toHaveCount(10);
  await page.getByRole('button', { name: 'Show more subscriptions' }).click();
  await expect(cards).toHaveCount(11);
  await expect(page.getByRole('button', { name: 'Show more subscriptions' })).toHaveCount(0);

  await test.step('those of the first page move, too', async () => {
    await api.send([{ name: account.event, customer: account.customer.externalId, units: 1010 }]);
    // Ten units at two cents above the included thousand, and the next month in advance.
    await expect(cards.locator(exactly(123456 + 20)).first()).toBeVisible();
  });
});

test('from an invoice that is another’s there is a way back', async ({ page, api, account }) => {
  const { invoices } = await api.ask('{ invoices(first: 1) { nodes { id } } }');
  await page.goto(await portalLink(api, account));
  await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
  for (const id of [invoices.nodes[0].id, 'unknown']) {
    await page.goto(`/portal?invoice=${id}`);
    await expect(page.getByRole('heading', { name: 'There is no such invoice' })).toBeVisible();
    await page.getByRole('button', { name: 'All usage and invoices' }).click();
    await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
    expect(new URL(page.url()).search).toBe('');
  }
});
