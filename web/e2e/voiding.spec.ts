import { expect, test } from './harness/test';

test('events that were sent by mistake are voided for a reason, and usage follows', async ({
  dashboard: page,
  api,
  account,
}) => {
  const { customer, event } = account;
  const dialog = page.getByRole('dialog');
  await api.send(
    [100, 20, 3].map((units) => ({ name: event, customer: customer.externalId, units })),
  );
  const events = page.getByRole('group', { name: 'Events' });
  const rowOf = (units: number) =>
    events
      .getByRole('row')
      .filter({ hasText: event })
      .filter({ hasText: `units ${units}` });

  await test.step('one is voided on its page', async () => {
    await page.goto(`/events?name=${event}`);
    await rowOf(100).getByRole('link', { name: event }).click();
    await expect(page.getByText('Counted', { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Void…' }).click();
    await expect(dialog.getByLabel('Reason')).toBeFocused();
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog.getByText('reason is empty.')).toBeVisible();
    await dialog.getByLabel('Reason').fill('A load test');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByText('Voided', { exact: true }).first()).toBeVisible();
    await expect(page.getByText('A load test')).toBeVisible();
    await expect(page.getByText('No meter')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Void…' })).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'History' })).toContainText('Events voided');
  });

  await test.step('another one is selected in the list, also on a phone', async () => {
    await page.goto(`/events?name=${event}`);
    await expect(rowOf(100).getByText('Voided')).toBeVisible();
    await expect(rowOf(100).getByRole('checkbox')).toBeDisabled();
    await page.setViewportSize({ width: 390, height: 900 });
    await rowOf(20).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Void 1 event…' }).click();
    await dialog.getByLabel('Reason').fill('Sent twice');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog).toHaveCount(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await expect(rowOf(20).getByText('Voided')).toBeVisible();
    await expect(rowOf(3).getByText('Voided')).toHaveCount(0);
  });

  await test.step('the list shows only voided events, or leaves them out', async () => {
    const filter = page.getByLabel('Voided events');
    await filter.selectOption('Only voided');
    await expect(rowOf(3)).toHaveCount(0);
    await expect(rowOf(100)).toBeVisible();
    await expect(rowOf(20)).toBeVisible();
    await filter.selectOption('Without voided');
    await expect(rowOf(3)).toBeVisible();
    await expect(rowOf(100)).toHaveCount(0);
    await expect(rowOf(20)).toHaveCount(0);
  });

  await test.step('only the third counts', async () => {
    await page.goto(`/customers/${customer.id}`);
    await expect(page.locator('data[value="3"]').first()).toBeVisible();
  });
});
