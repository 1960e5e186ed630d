import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { exactly, expect, test } from './harness/test';

// Counting may take ten seconds where much else runs.
const COUNTED = { timeout: 120_000 };

test.setTimeout(300_000);

test('meters of what lasts are made in the form', async ({ dashboard: page, api }) => {
  const mark = randomBytes(4).toString('hex');
  const event = `measured_${mark}`;
  await api.send([{ name: event, customer: mark, units: 8 }]);
  const lasts = page.getByRole('checkbox', { name: 'A value lasts until the next event' });
  const usage = page.getByLabel('Usage is the');

  await test.step('the greatest number of seats, which lasts', async () => {
    await begin(page, `Seats ${mark}`, event);
    await usage.selectOption('SUM');
    await expect(lasts).toHaveCount(0);
    await usage.selectOption('MAXIMUM');
    await enter(page, 'Of the property', 'units');
    await lasts.check();
    await page.getByRole('button', { name: 'Create meter' }).click();
    await expect(page.getByRole('heading', { level: 1, name: `Seats ${mark}` })).toBeVisible();
    await expect(page.getByText('Maximum of units, carried over').first()).toBeVisible();
    await expect(page.locator('main').locator(exactly(8)).first()).toBeVisible(COUNTED);
  });

  await test.step('gigabyte-hours of storage', async () => {
    await begin(page, `Storage ${mark}`, event);
    await usage.selectOption('TIME_WEIGHTED');
    // It lasts in any case.
    await expect(lasts).toHaveCount(0);
    await enter(page, 'Of the property', 'units');
    await page.getByRole('button', { name: 'Create meter' }).click();
    await expect(page.getByRole('heading', { level: 1, name: `Storage ${mark}` })).toBeVisible();
    await expect(page.getByText('Time-weighted units').first()).toBeVisible();
  });

  const { meters } = await api.ask(
    `{ meters(first: 10, query: "${mark}") { nodes { name aggregation { function carriesOver } } } }`,
  );
  expect(meters.nodes).toEqual([
    { name: `Seats ${mark}`, aggregation: { function: 'MAXIMUM', carriesOver: true } },
    { name: `Storage ${mark}`, aggregation: { function: 'TIME_WEIGHTED', carriesOver: true } },
  ]);
});

async function begin(page: Page, name: string, event: string): Promise<void> {
  await page.goto('/meters/new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await enter(page, 'Event name', event);
}

async function enter(page: Page, label: string, text: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).fill(text);
  await page.keyboard.press('Tab');
}
