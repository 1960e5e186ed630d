import { randomBytes } from 'node:crypto';
import { expect, signIn, test } from './harness/test';

test('a change is in the history of what was changed, and in the audit log', async ({
  dashboard: page,
  api,
  url,
}) => {
  const mark = randomBytes(4).toString('hex');
  const { meterCreate } = await api.ask(
    `mutation Meter($name: String!) {
      meterCreate(input: { name: $name, filter: {}, aggregation: { function: COUNT } }) {
        meter { id }
        userErrors { message }
      }
    }`,
    { name: `Calls ${mark}` },
  );
  await page.goto(`${url}/meters/${meterCreate.meter.id}`);
  const history = page.getByRole('region', { name: 'History' });
  await expect(history.getByText('Meter created')).toBeVisible();

  await test.step('what is changed on the page is there at once', async () => {
    await page.getByRole('link', { name: 'Edit', exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill(`Requests ${mark}`);
    await page.getByRole('button', { name: /^Save/ }).click();
    await expect(page.getByRole('heading', { level: 1, name: `Requests ${mark}` })).toBeVisible();
    const [latest, first] = [history.getByRole('row').nth(1), history.getByRole('row').nth(2)];
    await expect(latest).toContainText('Meter changed');
    await expect(latest).toContainText('Dashboard');
    await expect(first).toContainText('Meter created');
    await expect(first).toContainText('API');
  });

  await test.step('the log has it, with what was sent and a link', async () => {
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('link', { name: 'Open the audit log' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Audit log' })).toBeVisible();
    const row = page
      .getByRole('row')
      .filter({ hasText: `Requests ${mark}` })
      .first();
    await row.getByText('Meter changed').click();
    await expect(row.getByText(`"name": "Requests ${mark}"`)).toBeVisible();
    await row.getByRole('link', { name: `Requests ${mark}` }).click();
    await expect(page.getByRole('heading', { level: 1, name: `Requests ${mark}` })).toBeVisible();
  });
});

test('whoever may not audit sees neither a history nor the log', async ({ page, api, url }) => {
  const { accessTokenCreate } = await api.ask(
    `mutation Token($scopes: [Scope!]!) {
      accessTokenCreate(input: { name: "reader", scopes: $scopes }) {
        secret
        userErrors { message }
      }
    }`,
    { scopes: ['USAGE_READ', 'BILLING_READ'] },
  );
  const { meters } = await api.ask('{ meters(first: 1) { nodes { id name } } }');
  await signIn(page, url, accessTokenCreate.secret);
  await page.goto(`${url}/meters/${meters.nodes[0].id}`);
  await expect(page.getByRole('heading', { level: 1, name: meters.nodes[0].name })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Definition' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'History' })).toHaveCount(0);
  await page.goto(`${url}/settings/audit-log`);
  await expect(page.getByText('AUDIT_READ')).toBeVisible();
});
