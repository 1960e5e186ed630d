import type { Locator, Page } from '@playwright/test';
import { type Account, portalLink } from './harness/data';
import { expect, test } from './harness/test';

/** The row of a grant, by what it is from. */
function rowOf(page: Page, account: Account, name: string): Locator {
  return page
    .getByRole('table', { name: `Grants of ${account.meter.name}` })
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name }) });
}

/** What clocks in UTC show in some days. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);
}

test('credit that expires is granted, shown with what remains, and voided for a reason', async ({
  dashboard: page,
  api,
  account,
  context,
}) => {
  const { customer, meter } = account;
  const dialog = page.getByRole('dialog');
  await api.send([{ name: account.event, customer: customer.externalId, units: 100 }]);
  await page.goto(`/customers/${customer.id}?part=credits&zone=UTC`);
  const included = rowOf(page, account, '1,000 units a month');
  // Usage is counted a moment later.
  await expect(included.locator('data[value="900"]')).toBeVisible();
  await expect(included).toContainText('Benefit');

  await test.step('a time that the API refuses is shown at its field, also in the fold', async () => {
    await page.getByRole('button', { name: 'Credit units' }).click();
    await dialog.getByRole('combobox', { name: 'Meter' }).fill(meter.name);
    await page.getByRole('option', { name: meter.name }).first().click();
    await dialog.getByLabel(/^Units/).fill('500');
    await dialog.getByLabel('Reason').fill('A fair in spring');
    const expires = dialog.getByLabel('Expires, UTC');
    await expect(expires).toBeHidden();
    await dialog.getByText('Time and priority').click();
    await expires.fill(inDays(-2));
    await dialog.getByLabel('Priority').fill('1001');
    await dialog.getByText('Time and priority').click();
    await expect(expires).toBeHidden();
    await dialog.getByRole('button', { name: 'Credit units' }).click();
    await expect(dialog.getByText('priority must be from 0 to 1,000.')).toBeVisible();
    await dialog.getByLabel('Priority').fill('10');
    await dialog.getByRole('button', { name: 'Credit units' }).click();
    await expect(dialog.getByText('expiresAt must be ahead, and after effectiveAt.')).toBeVisible();
    await expires.fill(inDays(5));
    await dialog.getByRole('button', { name: 'Credit units' }).click();
    await expect(dialog).toHaveCount(0);
  });

  const promotion = rowOf(page, account, 'A fair in spring');
  await test.step('the grant is used first, and what was included is whole again', async () => {
    await expect(promotion.locator('data[value="400"]')).toBeVisible();
    await expect(included.locator('data[value="1000"]').last()).toBeVisible();
    await expect(promotion).toContainText('By hand');
    await expect(promotion.getByText('Active')).toBeVisible();
    await expect(page.getByRole('columnheader', { name: 'Priority' })).toBeVisible();
  });

  await test.step('what used the grant is told', async () => {
    await promotion.getByRole('button', { name: 'Usage of A fair in spring' }).click();
    const used = dialog.getByRole('table', { name: 'Periods that used A fair in spring' });
    await expect(used.locator('data[value="100"]')).toBeVisible();
    await expect(used.getByRole('row')).toHaveCount(2);
    await expect(used).toContainText('Not yet');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toHaveCount(0);
    await included.getByRole('button', { name: 'Usage of 1,000 units a month' }).click();
    await expect(dialog.getByText('Not used yet')).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toHaveCount(0);
  });

  const portal = await context.newPage();
  await portal.goto(await portalLink(api, account));
  const left = portal.getByRole('table', { name: `Credit left of ${meter.name}` });
  await expect(left.getByRole('row').filter({ hasText: 'A fair in spring' })).toContainText('400');

  await test.step('it is voided, and the balance is without it', async () => {
    await promotion.getByRole('button', { name: 'Void' }).click();
    await dialog.getByRole('button', { name: 'Void grant' }).click();
    await expect(dialog.getByText('reason is empty.')).toBeVisible();
    await dialog.getByLabel('Reason').fill('Granted twice');
    await dialog.getByRole('button', { name: 'Void grant' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(promotion).toContainText('Granted twice');
    await expect(promotion.getByText('Voided', { exact: true })).toBeVisible();
    await expect(promotion.getByRole('button', { name: 'Void' })).toHaveCount(0);
    const ledger = page.getByRole('region', { name: `Ledger: ${meter.name}` });
    await expect(ledger.locator('data[value="-400"]')).toBeVisible();
    await page.getByRole('tab', { name: 'Usage' }).click();
    // 1,000 units a month are left; the promotion paid for the 100 that are used.
    const usage = page.getByRole('region', { name: 'Usage and balance' });
    await expect(usage.locator('data[value="1000"]')).toBeVisible();
  });

  await portal.reload();
  await expect(left).toContainText('1,000 units a month');
  await expect(left).not.toContainText('A fair in spring');
});
