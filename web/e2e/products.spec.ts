import { expect, test } from './harness/test';

test('the product editor shows what units cost while one types, as the API computes it', async ({
  dashboard,
  account,
}) => {
  await dashboard.goto('/products/new');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const price = dashboard.getByRole('region', { name: 'Metered price' });
  await expect(price.getByText('Complete the price')).toBeVisible();
  await price.getByRole('combobox', { name: 'Meter' }).fill(account.meter.name);
  await dashboard.getByRole('option', { name: account.meter.name }).click();
  await price.getByLabel('Pricing').selectOption({ value: 'GRADUATED' });
  await price.getByLabel('End of tier 1').fill('1000');
  await price.getByLabel('Price of a unit of tier 1').fill('0.10');
  await price.getByLabel('Price of a unit of tier 2').fill('0.05');
  await price.getByLabel('Flat fee of tier 2').fill('7');
  const cost = (units: string) => price.getByRole('row', { name: units }).getByRole('cell').last();
  await expect(cost('1,000 units')).toHaveText('$100.00');
  await expect(cost('2,000 units')).toHaveText('$157.00');
  const other = price.getByLabel('Another number of units');
  await other.fill('1,000.5');
  await expect(price.getByRole('status')).toHaveText('$107.03');
  await price.getByLabel('Maximum').fill('150');
  await expect(cost('2,000 units')).toHaveText('$150.00');
  // The number is no part of the form: Enter does not send it.
  await other.press('Enter');
  await expect(dashboard).toHaveURL(/\/products\/new/);
  await expect(dashboard.getByRole('alert')).toHaveCount(0);
});

test('rates are a table with a column for each dimension, and their examples', async ({
  dashboard,
  api,
  account,
}) => {
  const meter = `Tokens of ${account.event}`;
  await api.ask(
    `mutation Meter($name: String!) {
      meterCreate(input: {
        name: $name, unit: "token", filter: {}, aggregation: { function: COUNT }
        dimensions: ["model", "kind"]
      }) { meter { id } userErrors { message path } }
    }`,
    { name: meter },
  );
  await dashboard.goto('/products/new');
  await dashboard.getByLabel('Name', { exact: true }).fill(`Rates of ${account.event}`);
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const price = dashboard.getByRole('region', { name: 'Metered price' });
  await price.getByRole('combobox', { name: 'Meter' }).fill(meter);
  await dashboard.getByRole('option', { name: meter }).click();
  await price.getByLabel('Price of a unit, USD').fill('0.01');
  await price.getByRole('button', { name: 'Add rate' }).click();
  await price.getByLabel('model of rate 1').fill('large');
  await price.getByLabel('kind of rate 1').fill('output');
  await price.getByLabel('Price of a unit of rate 1').fill('0.08');
  await price.getByRole('button', { name: 'Add rate' }).click();
  await price.getByLabel('model of rate 2').fill('large');
  await price.getByLabel('Price of a unit of rate 2').fill('0.02');
  const cost = price.getByRole('row', { name: '1,000 tokens' }).getByRole('cell').last();
  await expect(cost).toHaveText('$10.00');
  await price.getByLabel('Units of').selectOption({ label: 'large, output' });
  await expect(cost).toHaveText('$80.00');
  await dashboard.getByLabel('Amount, USD').fill('5');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  const rates = dashboard.getByRole('table', { name: 'Rates' });
  await expect(rates.getByRole('row')).toHaveCount(4);
  await expect(rates.getByRole('row', { name: 'large, output' })).toContainText('$0.08');
  await expect(rates.getByRole('row', { name: 'All other' })).toContainText('$0.01');
});

test('a row of tiers or rates goes, and the focus stays in the table', async ({
  dashboard,
  api,
  account,
}) => {
  const meter = `Tokens of ${account.event}`;
  await api.ask(
    `mutation Meter($name: String!) {
      meterCreate(input: {
        name: $name, unit: "token", filter: {}, aggregation: { function: COUNT }
        dimensions: ["model"]
      }) { meter { id } userErrors { message path } }
    }`,
    { name: meter },
  );
  await dashboard.goto('/products/new');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const price = dashboard.getByRole('region', { name: 'Metered price' });
  const remove = (what: string) => price.getByRole('button', { name: `Remove ${what}` }).click();
  await price.getByRole('combobox', { name: 'Meter' }).fill(meter);
  await dashboard.getByRole('option', { name: meter }).click();
  const add = price.getByRole('button', { name: 'Add rate' });
  for (const [place, unit] of ['1', '2', '3'].entries()) {
    await add.click();
    await price.getByLabel(`Price of a unit of rate ${place + 1}`).fill(unit);
  }
  const rate = (place: number) => price.getByLabel(`Price of a unit of rate ${place}`);
  await remove('rate 2');
  await expect(rate(1)).toBeFocused();
  await expect(rate(2)).toHaveValue('3');
  await remove('rate 1');
  await expect(rate(1)).toBeFocused();
  await expect(rate(1)).toHaveValue('3');
  await remove('rate 1');
  await expect(add).toBeFocused();

  await price.getByLabel('Pricing').selectOption({ value: 'GRADUATED' });
  await price.getByLabel('Price of a unit of tier 1').fill('1');
  await remove('tier 2');
  await expect(price.getByLabel('Price of a unit of tier 1')).toBeFocused();
  await expect(price.getByRole('button', { name: /^Remove tier/ })).toHaveCount(0);
});

test('limits, a conversion and a minimum of the product are asked for and shown', async ({
  dashboard,
  account,
}) => {
  await dashboard.goto('/products/new');
  await dashboard.getByLabel('Name', { exact: true }).fill('By the thousand');
  await dashboard.getByLabel('Minimum for usage').fill('30');
  await dashboard.getByLabel('Amount, USD').fill('5');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const price = dashboard.getByRole('region', { name: 'Metered price' });
  await price.getByRole('combobox', { name: 'Meter' }).fill(account.meter.name);
  await dashboard.getByRole('option', { name: account.meter.name }).click();
  await price.getByLabel('Price of a unit').fill('2');
  await price.getByLabel('Divide units by').fill('1,000');
  await price.getByLabel('Round the result').selectOption({ value: 'UP' });
  await price.getByLabel('Minimum, USD').fill('10');
  // 6,001 units are 7 thousand.
  await price.getByLabel('Another number of units').fill('6001');
  await expect(price.getByRole('status')).toHaveText('$14.00');
  const nothing = price.getByRole('row', { name: /^0 units/ });
  await expect(nothing.getByRole('cell').last()).toHaveText('$10.00');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByRole('heading', { name: 'By the thousand' })).toBeVisible();
  await expect(dashboard.getByText('$2.00 for each 1,000 units')).toBeVisible();
  await expect(
    dashboard.getByText(
      'Units are divided by 1,000, rounded up to a whole number, and then priced.',
    ),
  ).toBeVisible();
  await expect(dashboard.getByRole('region', { name: 'Details' })).toContainText(
    'Minimum for usage$30.00',
  );
});

test('a product’s page shows what units cost', async ({ dashboard, account }) => {
  await dashboard.goto(`/products/${account.product.id}`);
  const examples = dashboard.getByRole('table', { name: 'What units cost in a period' });
  await expect(examples.getByRole('row', { name: '1,000 units' })).toContainText('$20.00');
  await expect(examples.getByRole('row', { name: '1 unit' })).toContainText('$0.02');
  await dashboard.getByLabel('Another number of units').fill('12');
  await expect(dashboard.getByRole('status')).toContainText(['$0.24']);
});

test('a plan that is paid by the year can bill its usage every month', async ({
  dashboard,
  api,
  account,
}) => {
  await dashboard.goto('/products/new');
  await dashboard.getByLabel('Name', { exact: true }).fill('Yearly');
  await dashboard.getByLabel('Interval', { exact: true }).selectOption({ label: 'Years' });
  await dashboard.getByLabel('Amount, USD').fill('120');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const price = dashboard.getByRole('region', { name: 'Metered price' });
  await price.getByRole('combobox', { name: 'Meter' }).fill(account.meter.name);
  await dashboard.getByRole('option', { name: account.meter.name }).click();
  await price.getByLabel('Price of a unit').fill('0.02');
  await expect(price.getByText('Charged in arrears, every year')).toBeVisible();
  const usage = dashboard.getByLabel('Usage billed');
  await usage.selectOption({ label: 'Every week' });
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByText('A period of 1 YEAR cannot be divided by WEEK.')).toBeVisible();
  await usage.selectOption({ label: 'Every month' });
  await expect(price.getByText('Charged in arrears, every month')).toBeVisible();
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByRole('heading', { name: 'Yearly' })).toBeVisible();
  const details = dashboard.getByRole('region', { name: 'Details' });
  await expect(details).toContainText('BilledEvery year');
  await expect(details).toContainText('Usage billedEvery month');

  const { customerSubscriptionCreate } = await api.ask(
    `mutation Subscribe($customer: String!, $product: ID!) {
      customerCreate(input: { externalId: $customer }) { userErrors { message path } }
      customerSubscriptionCreate(input: { externalCustomerId: $customer, productId: $product }) {
        subscription { id } userErrors { message path }
      }
    }`,
    {
      customer: `${account.customer.externalId}-yearly`,
      product: decodeURIComponent(new URL(dashboard.url()).pathname.split('/').at(-1) ?? ''),
    },
  );
  await dashboard.goto(`/subscriptions/${customerSubscriptionCreate.subscription.id}`);
  await expect(dashboard.getByText('Current usage period')).toBeVisible();
});
