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
