import { expect, test } from './harness/test';

test('an alert is made, triggers on screen, rests when it is disabled, and is deleted', async ({
  dashboard,
  api,
  account,
}) => {
  const { meter, customer, event } = account;
  await dashboard.goto('/alerts');
  await dashboard.getByRole('button', { name: 'New alert' }).first().click();
  const dialog = dashboard.getByRole('dialog', { name: 'New alert' });
  const name = `Much of ${meter.name}`;
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByRole('combobox', { name: 'Meter' }).fill(meter.name);
  await dashboard.getByRole('option', { name: meter.name }).click();
  await dialog.getByLabel('Threshold, unit').fill('-5');
  await dialog.getByRole('button', { name: 'Create alert' }).click();
  await expect(dialog.getByText('threshold must be above zero.')).toBeVisible();
  await dialog.getByLabel('Threshold, unit').fill('50,000');
  await dialog.getByRole('button', { name: 'Create alert' }).click();
  await expect(dialog).toBeHidden();

  const row = dashboard.getByRole('row', { name });
  await expect(row).toContainText('50,000 units');
  await expect(row).toContainText('Each customer');
  await row.getByRole('link', { name }).click();
  await expect(dashboard.getByText('It has not triggered yet')).toBeVisible();
  // Whoever looks at the page sees it happen.
  await api.send([{ name: event, customer: customer.externalId, units: 60_000 }]);
  const triggers = dashboard.getByRole('table', { name: 'Triggers of the alert' });
  await expect(triggers.getByRole('row', { name: customer.name })).toBeVisible();

  await triggers.getByRole('link', { name: customer.name }).click();
  await dashboard.getByRole('tab', { name: 'Alerts' }).click();
  const own = dashboard.getByRole('table', { name: 'Alerts of the customer' });
  await own.getByRole('link', { name }).click();

  await dashboard.getByRole('button', { name: 'Disable' }).click();
  await dashboard.getByRole('button', { name: 'Disable alert' }).click();
  await expect(dashboard.getByRole('button', { name: 'Enable' })).toBeVisible();
  await dashboard.getByRole('button', { name: 'Delete' }).click();
  await dashboard.getByRole('button', { name: 'Delete alert' }).click();
  await expect(dashboard).toHaveURL(/\/alerts$/);
  await expect(dashboard.getByRole('row', { name })).toHaveCount(0);
});

test('the page of a meter makes alerts for it, and shows for whom they triggered', async ({
  dashboard,
  api,
  account,
}) => {
  const { meter, customer, event } = account;
  await dashboard.goto(`/meters/${meter.id}`);
  const card = dashboard.getByRole('region', { name: 'Alerts' });
  await expect(card.getByText('No alerts watch this meter')).toBeVisible();
  await card.getByRole('button', { name: 'New alert' }).click();
  const dialog = dashboard.getByRole('dialog', { name: 'New alert' });
  await expect(dialog.getByRole('combobox', { name: 'Meter' })).toHaveValue(meter.name);
  const name = `Some of ${meter.name}`;
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByLabel('Threshold, unit').fill('70000');
  await dialog.getByRole('button', { name: 'Create alert' }).click();

  const row = card.getByRole('row', { name });
  await expect(row).toContainText('70,000 units');
  await expect(row.getByRole('link', { name: customer.name })).toHaveCount(0);
  await api.send([{ name: event, customer: customer.externalId, units: 80_000 }]);
  await expect(row.getByRole('link', { name: customer.name })).toBeVisible();
  await row.getByRole('link', { name }).click();
  await expect(dashboard.getByRole('heading', { name })).toBeVisible();
});

test('an amount is written and shown in the major units of its currency', async ({ dashboard }) => {
  await dashboard.goto('/alerts');
  await dashboard.getByRole('button', { name: 'New alert' }).first().click();
  const dialog = dashboard.getByRole('dialog', { name: 'New alert' });
  const name = `Much money ${Date.now()}`;
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByRole('radio', { name: 'Estimated charges' }).check();
  await dialog.getByRole('combobox', { name: 'Currency' }).fill('KWD');
  await dashboard.getByRole('option', { name: 'KWD' }).click();
  await dialog.getByLabel('Threshold, KWD').fill('1.2345');
  await dialog.getByRole('button', { name: 'Create alert' }).click();
  await expect(dialog.getByText('KWD has 3 decimals; this amount has more.')).toBeVisible();
  await dialog.getByLabel('Threshold, KWD').fill('1234.5');
  await dialog.getByRole('button', { name: 'Create alert' }).click();
  const row = dashboard.getByRole('row', { name });
  await expect(row).toContainText(/KWD\s1,234.500/);

  await row.getByRole('link', { name }).click();
  await dashboard.getByRole('button', { name: 'Edit' }).click();
  const edit = dashboard.getByRole('dialog', { name: 'Edit alert' });
  await expect(edit.getByLabel('Threshold, KWD')).toHaveValue('1234.5');
  await edit.getByLabel('Threshold, KWD').fill('99');
  await edit.getByRole('button', { name: 'Save alert' }).click();
  await expect(dashboard.getByText(/KWD\s99.000/)).toBeVisible();
});
