import { Api } from './harness/api';
import { expect, signedIn, test } from './harness/test';

test('a token sees the parts of a customer that its scopes allow, and why others are missing', async ({
  page,
  url,
  api,
  account,
}) => {
  const { accessTokenCreate } = await api.ask(
    `mutation { accessTokenCreate(input: { name: "usage", scopes: [USAGE_READ] }) {
      secret userErrors { message path }
    } }`,
  );
  const token = new Api(url, accessTokenCreate.secret);
  await signedIn(page, url, token);
  await page.goto(`/customers/${account.customer.id}`);
  await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
  await expect(page.getByRole('tab')).toHaveText(['Usage', 'Events']);
  await expect(page.getByRole('button', { name: 'Credit units' })).toHaveCount(0);
  await page.goto(`/customers/${account.customer.id}?part=invoices`);
  await expect(page.getByText('It lacks the scope BILLING_READ')).toBeVisible();
});

test('a picker finds what is not among the first of a long list', async ({
  dashboard,
  api,
  account,
}) => {
  const names = Array.from(
    { length: 55 },
    (_each, place) => `Benefit ${place} of ${account.event}`,
  );
  for (const description of names) {
    await api.ask(
      `mutation Benefit($meter: ID!, $description: String!) {
        meterCreditBenefitCreate(
          input: { description: $description, meterId: $meter, units: "1" }
        ) { userErrors { message path } }
      }`,
      { meter: account.meter.id, description },
    );
  }
  await dashboard.goto('/products/new');
  const picker = dashboard.getByRole('combobox', { name: 'Add a benefit' });
  await picker.fill(`54 of ${account.event}`);
  await dashboard.getByRole('option', { name: 'Benefit 54' }).click();
  await expect(dashboard.getByRole('button', { name: 'Remove Benefit 54' })).toBeVisible();
});
