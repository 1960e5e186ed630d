import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, signedIn, test } from './harness/test';

const PICTURE = join(import.meta.dirname, '..', '..', 'docs', 'dashboard.png');
const MOST_BYTES = 150_000;

test.skip(process.env.SCREENSHOTS !== 'readme', 'the README’s picture; make screenshot takes it');
test.use({ viewport: { width: 1280, height: 1024 }, colorScheme: 'light' });

test('the picture that the README begins with', async ({ page, url, demo }) => {
  await signedIn(page, url, demo);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Invoiced by month' })).toBeVisible();
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: PICTURE, animations: 'disabled' });
  expect(statSync(PICTURE).size).toBeLessThan(MOST_BYTES);
});
