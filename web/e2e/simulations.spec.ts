import type { Api } from './harness/api';
import type { Account } from './harness/data';
import { expect, test } from './harness/test';

/** A customer of the account's product since last month, with 1,500 units then; billed since today. */
async function earlier(api: Api, { product, meter, event }: Account, month: Date): Promise<string> {
  const name = `Early ${event}`;
  await api.ask(
    `mutation Early($name: String!, $product: ID!, $start: DateTime!) {
      customerCreate(input: { externalId: $name, name: $name }) { userErrors { message path } }
      customerSubscriptionCreate(
        input: { externalCustomerId: $name, productId: $product, startedAt: $start }
      ) { userErrors { message path } }
    }`,
    { name, product: product.id, start: month.toISOString() },
  );
  const timestamp = new Date(month.getTime() + 86_400_000).toISOString();
  await api.send([{ name: event, customer: name, units: 1500, timestamp }]);
  const used = async () => {
    const answer = await api.ask(
      `query Used($id: ID!, $start: DateTime!, $end: DateTime!) {
        meter(id: $id) { quantities(start: $start, end: $end, interval: YEAR) { total } }
      }`,
      { id: meter.id, start: month.toISOString(), end: new Date().toISOString() },
    );
    return answer.meter.quantities.total;
  };
  await expect.poll(used, { timeout: 60_000 }).toBe('1500');
  return name;
}

test('other prices are tried on last month, and become a product', async ({
  dashboard,
  api,
  account,
}) => {
  const { product } = account;
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
  const customer = await earlier(api, account, month);

  await dashboard.goto(`/products/${product.id}`);
  await dashboard.getByRole('link', { name: 'Simulate prices' }).click();
  await expect(dashboard.getByLabel('First day')).toHaveValue(month.toISOString().slice(0, 10));
  const amount = dashboard.getByLabel('Amount, USD');
  await expect(amount).toHaveValue('1234.56');
  await amount.fill('20');
  const unit = dashboard.getByLabel('Price of a unit, USD');
  await expect(unit).toHaveValue('0.02');
  await unit.fill('0.05');
  const count = dashboard.getByLabel('Number of periods');
  await count.fill('30');
  const simulate = dashboard.getByRole('button', { name: 'Simulate', exact: true });
  await simulate.click();
  // Those months are not over.
  await expect(count).toHaveAttribute('aria-invalid', 'true');
  await count.fill('1');
  await simulate.click();

  const name = `${product.name}, other prices`;
  await expect(dashboard.getByRole('heading', { name })).toBeVisible();
  await expect(dashboard.getByText('Done', { exact: true })).toBeVisible({ timeout: 60_000 });
  // $20.00, and 500 units beyond the credit of 1,000 at $0.05.
  const row = dashboard
    .getByRole('group', { name: 'Customers who would pay more' })
    .getByRole('row', { name: customer });
  await expect(row).toContainText('+$45.00');

  await test.step('it is found again', async () => {
    await dashboard.getByRole('link', { name: 'Products', exact: true }).click();
    const simulations = dashboard.getByRole('region', { name: 'Simulated prices' });
    const found = simulations.getByRole('row').filter({ hasText: name });
    await expect(found).toContainText('Done');
    await found.getByRole('link', { name }).click();
    await expect(dashboard.getByRole('heading', { name })).toBeVisible();
  });

  await dashboard.getByRole('link', { name: 'Create product with these prices' }).click();
  await expect(dashboard.getByLabel('Name', { exact: true })).toHaveValue(name);
  await expect(amount).toHaveValue('20');
  await expect(unit).toHaveValue('0.05');
  await expect(dashboard.getByRole('list', { name: 'Benefits of the product' })).toContainText(
    '1,000 units a month',
  );
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByRole('heading', { name })).toBeVisible();
  await expect(dashboard.getByText('$20.00 a month')).toBeVisible();
});

test('a simulation without customers leads to other days', async ({ dashboard, api }) => {
  const { productCreate } = await api.ask(
    `mutation {
      productCreate(input: {
        name: "Unsold", recurringInterval: MONTH, prices: [{ fixed: { currency: "USD", amount: 7 } }]
      }) { product { id } userErrors { message path } }
    }`,
  );
  await dashboard.goto(`/products/${productCreate.product.id}/simulate`);
  await dashboard.getByLabel('Amount, USD').fill('9');
  await dashboard.getByRole('button', { name: 'Simulate', exact: true }).click();
  await expect(dashboard.getByText('No customer subscribed to the product')).toBeVisible({
    timeout: 60_000,
  });
  await dashboard.getByRole('link', { name: 'Simulate other days' }).click();
  await expect(dashboard.getByRole('heading', { name: 'Simulate prices' })).toBeVisible();
});
