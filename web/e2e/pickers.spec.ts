import { expect, test } from './harness/test';

test('a choice stays under the pointer while a search is answered', async ({
  dashboard,
  api,
  account,
}) => {
  const name = `Last of ${account.event}`;
  await api.ask(
    `mutation Meter($name: String!) {
      meterCreate(input: { name: $name, filter: {}, aggregation: { function: COUNT } }) {
        meter { id } userErrors { message path }
      }
    }`,
    { name },
  );
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await dashboard.route('**/graphql', async (route) => {
    if (route.request().postData()?.includes(`"query":"${name}"`)) {
      await held;
    }
    await route.continue();
  });
  await dashboard.goto('/products/new');
  await dashboard.getByLabel('Name', { exact: true }).fill(name);
  await dashboard.getByLabel('Amount, USD').fill('1');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const meter = dashboard.getByRole('combobox', { name: 'Meter' });
  const choice = dashboard.getByRole('option', { name });
  await meter.click();
  await expect(choice).toBeVisible();

  await meter.fill(name);
  await choice.hover();
  await dashboard.mouse.down();
  const answered = dashboard.waitForResponse((response) =>
    Boolean(response.request().postData()?.includes(`"query":"${name}"`)),
  );
  answer();
  await (await answered).finished();
  await expect(dashboard.getByRole('option')).toHaveCount(1);
  await dashboard.mouse.up();

  await expect(choice).toHaveCount(0);
  await dashboard.getByLabel('Price of a unit').fill('0.02');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('what a picker shows is what is chosen', async ({ dashboard, account }) => {
  await dashboard.goto('/products/new');
  await dashboard.getByRole('button', { name: 'Add metered price' }).click();
  const meter = dashboard.getByRole('combobox', { name: 'Meter' });
  const found = dashboard.getByRole('option', { name: account.meter.name });

  // Scrolling closes the list, and takes nothing away that was typed.
  const part = account.meter.name.slice(0, -1);
  await meter.fill(part);
  await expect(found).toBeVisible();
  const before = await dashboard.evaluate(() => window.scrollY);
  await dashboard.mouse.wheel(0, 60);
  await expect.poll(() => dashboard.evaluate(() => window.scrollY)).not.toBe(before);
  await expect(found).toBeVisible();
  await expect(meter).toHaveValue(part);

  // A part of a name is no choice.
  await meter.press('Tab');
  await expect(meter).toHaveValue('');

  // All of it is one.
  await meter.fill(account.meter.name);
  await expect(found).toBeVisible();
  await meter.press('Tab');
  await expect(meter).toHaveValue(account.meter.name);

  await meter.fill('none of them');
  await meter.press('Tab');
  await expect(meter).toHaveValue(account.meter.name);

  // An empty input chooses nothing.
  await meter.fill('');
  await meter.press('Tab');
  await dashboard.getByRole('button', { name: 'Create product' }).click();
  await expect(dashboard.getByText('Choose a meter.')).toBeVisible();
});
