import type { Page } from '@playwright/test';
import type { Api } from './harness/api';
import { consumedUnits, endSubscription, portalLink } from './harness/data';
import { expect, test } from './harness/test';

/** The steps of the line in question, down to its amount. */
async function expectSteps(page: Page, used = 1500): Promise<void> {
  const charged = used - 1000;
  const amount = 2 * charged;
  const steps = page.getByRole('table', { name: 'Steps' });
  const of = (name: string | RegExp) =>
    steps.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
  await expect(of('Usage').locator(`data[value="${used}"]`)).toBeVisible();
  await expect(of('Covered by credit').locator('data[value="-1000"]')).toBeVisible();
  const priced = of(/^Each unit/);
  await expect(priced.locator(`data[value="${charged}"]`)).toBeVisible();
  await expect(priced.locator(`data[value="${amount}"]`)).toHaveText(`$${amount / 100}.00`);
}

/** The kinds of the lines that a subscription's next invoice has. */
async function nextKinds(api: Api, id: string): Promise<string[]> {
  const { subscription } = await api.ask(
    'query Next($id: ID!) { subscription(id: $id) { upcomingInvoice { lines { kind } } } }',
    { id },
  );
  return (subscription.upcomingInvoice?.lines ?? []).map(({ kind }: { kind: string }) => kind);
}

test('a line of an invoice is taken apart into steps, credit and events', async ({
  dashboard: page,
  api,
  account,
  context,
}) => {
  const { customer, event } = account;
  await api.send([
    { name: event, customer: customer.externalId, units: 1100 },
    { name: event, customer: customer.externalId, units: 400 },
  ]);
  // Counted a moment later.
  await expect.poll(() => consumedUnits(api, account)).toBe('1500');
  const { subscription } = account;
  const sentAt = new Date().toISOString();
  const dialog = page.getByRole('dialog', { name: 'Why this much?' });
  const lines = page.getByRole('table', { name: 'Lines' });
  const total = dialog.getByRole('table', { name: 'Steps' }).getByRole('row').last();

  await test.step('of the next invoice', async () => {
    await page.goto(`/subscriptions/${subscription.id}`);
    await lines.getByRole('button', { name: 'Why this much?' }).first().click();
    await expectSteps(page);
    await expect(total).toContainText('$10.00');
    await dialog.getByRole('button', { name: 'Show the events' }).click();
    const events = dialog.getByRole('table', { name: 'Events of the line' });
    await expect(events.getByRole('row')).toHaveCount(1 + 2);
  });

  const { id } = await endSubscription(api, account);

  await test.step('in the dashboard', async () => {
    await page.goto(`/invoices/${id}`);
    await lines.getByRole('button', { name: 'Why this much?' }).first().click();
    await expectSteps(page);
    await expect(total).toContainText('$10.00');
    const credit = dialog.getByRole('table', { name: 'Credit of the period' });
    await expect(credit.getByRole('rowheader', { name: 'Granted' })).toContainText(
      '1,000 units a month',
    );
    await dialog.getByRole('button', { name: 'Show the events' }).click();
    const events = dialog.getByRole('table', { name: 'Events of the line' });
    await expect(events.getByRole('row')).toHaveCount(1 + 2);
    await expect(events).toContainText('1100');
    await expect(events).toContainText('400');
    const steps = await dialog.getByRole('group', { name: 'Steps' }).boundingBox();
    expect(steps?.height).toBeGreaterThan(100);
    await events.getByRole('link', { name: event }).first().click();
    await expect(page).toHaveURL(/\/events\//);
  });

  await test.step('a fixed price has steps, and no events', async () => {
    await page.goto(`/invoices/${account.invoice.id}`);
    await lines.getByRole('button', { name: 'Why this much?' }).click();
    await expect(dialog.getByRole('row', { name: /^A whole period/ })).toContainText('$1,234.56');
    await expect(dialog.getByRole('heading', { name: 'Events' })).toHaveCount(0);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toHaveCount(0);
  });

  await test.step('of the correction for an event that came too late', async () => {
    await api.send([{ name: event, customer: customer.externalId, units: 100, timestamp: sentAt }]);
    // Rated a moment later, by the next invoice.
    await expect.poll(() => nextKinds(api, subscription.id)).toEqual(['CORRECTION']);
    await page.goto(`/subscriptions/${subscription.id}`);
    await lines.getByRole('button', { name: 'Why this much?' }).click();
    await expectSteps(page, 1600);
    const billed = dialog.getByRole('row', { name: /^Billed before/ });
    await expect(billed.locator('data[value="-1000"]')).toBeVisible();
    await expect(total).toContainText('$2.00');
    const corrected = dialog.getByRole('table', { name: 'What it corrects' });
    await expect(corrected).toContainText('$10.00');
    await dialog.getByRole('button', { name: 'Show the late events' }).click();
    const events = dialog.getByRole('table', { name: 'Events of the line' });
    await expect(events.getByRole('row')).toHaveCount(1 + 1);
    await expect(events).toContainText('100');
  });

  await test.step('in the portal', async () => {
    const portal = await context.newPage();
    await portal.goto(await portalLink(api, account));
    const invoices = portal.getByRole('region', { name: 'Invoices' });
    await invoices.getByRole('row').nth(1).getByRole('link').click();
    await portal.getByRole('button', { name: 'Why this much?' }).first().click();
    await expectSteps(portal);
    await expect(portal.getByRole('table', { name: 'Steps' })).toContainText('$10.00');
    await portal.getByRole('button', { name: 'Show the events' }).click();
    const events = portal.getByRole('table', { name: 'Events of the line' });
    await expect(events.getByRole('row')).toHaveCount(1 + 2);
    await expect(events.getByRole('link')).toHaveCount(0);
    await expect(events).toContainText('1100');
  });
});
