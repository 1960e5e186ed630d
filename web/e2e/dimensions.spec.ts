import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { portalLink } from './harness/data';
import { counted, makeGroupedMeter, makeTokenMeter, sendCalls } from './harness/grouped';
import { exactly, expect, test } from './harness/test';
import { transitionsEnd } from './harness/transitions';

// Counting may take ten seconds where much else runs.
const COUNTED = { timeout: 120_000 };

test.setTimeout(300_000);

test('dimensions are added to a meter that has counted, and it is grouped by them', async ({
  dashboard,
  api,
  account,
}) => {
  const meter = await makeTokenMeter(api, []);
  const customer = account.customer.externalId;
  await sendCalls(api, meter, customer, [
    { model: 'large', tokens: 700 },
    { model: 'small', tokens: 200 },
    { tokens: 100 },
  ]);
  await counted(api, meter, 3);

  await dashboard.goto(`/meters/${meter.id}`);
  await expect(dashboard.locator(exactly(1000)).first()).toBeVisible();
  await expect(dashboard.getByLabel('Group by')).toHaveCount(0);
  await dashboard.goto(`/meters/${meter.id}/edit`);
  await test.step('what is refused stands at its input', async () => {
    await dashboard.getByRole('button', { name: 'Add dimension' }).click();
    await dashboard.getByRole('combobox', { name: 'Dimension 1' }).fill('timestamp');
    await dashboard.keyboard.press('Tab');
    await dashboard.getByRole('button', { name: 'Save changes' }).click();
    await expect(dashboard.getByText('A dimension cannot be timestamp.')).toBeVisible();
  });
  await dashboard.getByRole('combobox', { name: 'Dimension 1' }).fill('model');
  await dashboard.keyboard.press('Tab');
  await dashboard.getByRole('button', { name: 'Save changes' }).click();
  const groupBy = dashboard.getByLabel('Group by');
  await expect(groupBy).toBeVisible();
  await counted(api, meter, 3);
  await dashboard.reload();
  await groupBy.selectOption('By model');

  const table = groupsTable(dashboard);
  await expect(rowOf(table, 'large').locator(exactly(700))).toBeVisible();
  await expect(rowOf(table, 'small')).toContainText('20%');
  await expect(rowOf(table, 'No model').locator(exactly(100))).toBeVisible();
  await expect(rowOf(table, 'Total').locator(exactly(1000))).toBeVisible();

  await test.step('usage moves without a reload', async () => {
    await sendCalls(api, meter, customer, [
      { model: 'small', tokens: 50 },
      { model: 'new', tokens: 5 },
    ]);
    await expect(rowOf(table, 'small').locator(exactly(250))).toBeVisible(COUNTED);
    await expect(rowOf(table, 'new').locator(exactly(5))).toBeVisible(COUNTED);
    await expect(rowOf(table, 'Total').locator(exactly(1055))).toBeVisible(COUNTED);
  });

  await test.step('a link that was edited wrongly shows the meter', async () => {
    await dashboard.goto(`/meters/${meter.id}?by=model&only=1`);
    await expect(dashboard.getByRole('heading', { name: meter.name })).toBeVisible();
    await expect(dashboard.getByLabel('Group by')).toHaveValue('[]');
  });

  await test.step('a dimension is taken away', async () => {
    await dashboard.goto(`/meters/${meter.id}/edit`);
    await dashboard.getByRole('button', { name: 'Remove dimension 1' }).click();
    await expect(dashboard.getByRole('button', { name: 'Add dimension' })).toBeFocused();
    await dashboard.getByRole('button', { name: 'Save changes' }).click();
    await expect(dashboard.getByRole('heading', { name: meter.name })).toBeVisible();
    await expect(dashboard.getByLabel('Group by')).toHaveCount(0);
  });
});

test('the legend filters, by mouse and keyboard, and its choice has a link', async ({
  dashboard,
  api,
  account,
}) => {
  const meter = await makeGroupedMeter(api, account.customer.externalId);
  await dashboard.goto(`/meters/${meter.id}?by=["model"]`);
  const legend = dashboard.getByRole('list', { name: 'Groups in the chart' });
  const table = groupsTable(dashboard);
  const total = 900 + 800 + 13 * 700 - 50 * 78;
  await expect(rowOf(table, 'Total').locator(exactly(total))).toBeVisible();
  // Fifteen groups: ten by themselves, and the rest as one.
  await expect(legend.getByRole('listitem')).toHaveCount(11);
  await expect(table.getByRole('row')).toHaveCount(1 + 15 + 1);
  await expect(valueIn(legend, '5 more')).toHaveAttribute('aria-pressed', 'true');

  await test.step('a click takes a value away', async () => {
    await valueIn(legend, 'No model').click();
    await expect(valueIn(legend, 'No model')).toHaveAttribute('aria-pressed', 'false');
    await expect(shownTotal(dashboard, total - 900)).toBeVisible();
  });
  await test.step('by keyboard, one is shown alone', async () => {
    await legend.getByRole('button', { name: 'Only model-0', exact: true }).focus();
    await dashboard.keyboard.press('Enter');
    await expect(shownTotal(dashboard, 700)).toBeVisible();
    await expect(legend.getByRole('button', { pressed: true })).toHaveCount(2);
  });
  await test.step('another is added by the space bar', async () => {
    await valueIn(legend, 'model-1').focus();
    await dashboard.keyboard.press('Space');
    await expect(shownTotal(dashboard, 1350)).toBeVisible();
  });
  await test.step('the address has the choice', async () => {
    await dashboard.reload();
    await expect(shownTotal(dashboard, 1350)).toBeVisible();
    await expect(valueIn(legend, 'model-1')).toHaveAttribute('aria-pressed', 'true');
    await expect(valueIn(legend, 'model-2')).toHaveAttribute('aria-pressed', 'false');
  });
  await test.step('a value of the rest is shown alone from the table', async () => {
    await rowOf(table, 'model-12').getByRole('button', { name: 'Only model-12' }).click();
    await expect(shownTotal(dashboard, 100)).toBeVisible();
    await expect(valueIn(legend, 'model-12')).toHaveAttribute('aria-pressed', 'true');
    await legend.getByRole('button', { name: 'Show all' }).click();
    await expect(legend.getByRole('button', { name: 'Show all' })).toHaveCount(0);
  });
  await test.step('an address that names what is not there shows all', async () => {
    await dashboard.goto(`/meters/${meter.id}?by=["model"]&only=["[\\"gone\\"]"]`);
    await expect(rowOf(table, 'Total').locator(exactly(total))).toBeVisible();
    await expect(valueIn(legend, 'model-0')).toHaveAttribute('aria-pressed', 'true');
    await dashboard.goto(`/meters/${meter.id}?by=["region"]`);
    await expect(dashboard.getByLabel('Group by')).toHaveValue('[]');
  });
  await test.step('two dimensions are named together', async () => {
    await dashboard.getByLabel('Group by').selectOption('By model and kind');
    await expect(rowOf(table, 'No model · output').locator(exactly(900))).toBeVisible();
    await expect(rowOf(table, 'Total').locator(exactly(total))).toBeVisible();
  });
  await test.step('of one customer, on its own page', async () => {
    await dashboard.goto(`/customers/${account.customer.id}?by=["kind"]`);
    await expect(rowOf(table, 'No kind').locator(exactly(800))).toBeVisible();
    await transitionsEnd(dashboard);
    const results = await new AxeBuilder({ page: dashboard }).analyze();
    expect(results.violations).toEqual([]);
  });
});

test('the portal shows the customer its own usage by dimension', async ({ page, api, account }) => {
  const meter = await makeTokenMeter(api, ['model']);
  const own = account.customer.externalId;
  await sendCalls(api, meter, own, [
    { model: 'large', tokens: 70 },
    { model: 'small', tokens: 20 },
  ]);
  await sendCalls(api, meter, `${own}-other`, [{ model: 'secret', tokens: 1 }]);
  await counted(api, meter, 3);
  await page.goto(await portalLink(api, account));
  await page.getByLabel('Group by').selectOption('By model');
  const table = groupsTable(page);
  await expect(rowOf(table, 'large').locator(exactly(70))).toBeVisible();
  await expect(rowOf(table, 'Total').locator(exactly(90))).toBeVisible();
  await expect(page.getByText('secret')).toHaveCount(0);
  await sendCalls(api, meter, own, [{ model: 'small', tokens: 7 }]);
  await expect(rowOf(table, 'small').locator(exactly(27))).toBeVisible(COUNTED);
  await transitionsEnd(page);
  const results = await new AxeBuilder({ page }).analyze();
  expect(results.violations).toEqual([]);
});

function groupsTable(page: Page): Locator {
  return page.getByRole('table', { name: /, in total$/ });
}

function rowOf(table: Locator, name: string): Locator {
  return table.getByRole('row').filter({
    has: table.page().getByText(name, { exact: true }),
  });
}

function valueIn(legend: Locator, name: string): Locator {
  return legend.getByRole('button', { name, exact: true });
}

function shownTotal(page: Page, tokens: number): Locator {
  return page
    .getByRole('paragraph')
    .filter({ hasText: 'in the groups that are shown' })
    .locator(exactly(tokens));
}
