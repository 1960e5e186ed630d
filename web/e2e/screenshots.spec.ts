import { join } from 'node:path';
import { portalLink } from './harness/data';
import { dashboardPages, dialogs } from './harness/places';
import { expect, signedIn, test } from './harness/test';

const FOLDER = join(import.meta.dirname, 'screenshots');

/** For people to look at; SCREENSHOTS=yes make web-test ARGS=screenshots */
test.skip(process.env.SCREENSHOTS !== 'yes', 'pictures for people; SCREENSHOTS=yes makes them');

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [390, 1024, 1440]) {
    test.describe(`${colorScheme}, ${width} px wide`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });

      test('screenshots of every page', async ({ page, url, everything, context }) => {
        const dashboard = await signedIn(page, url, everything.api);
        const shoot = async (page: typeof dashboard, name: string) => {
          await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
          const path = join(FOLDER, `${name}-${colorScheme}-${width}.png`);
          await page.screenshot({ path, fullPage: true });
        };
        for (const { path, heading } of dashboardPages(everything)) {
          await dashboard.goto(path);
          await expect(dashboard.getByRole('heading', { name: heading }).first()).toBeVisible();
          await shoot(dashboard, named(path, everything));
        }
        for (const [place, { path, open }] of dialogs(everything).entries()) {
          await dashboard.goto(path);
          await open(dashboard);
          await expect(dashboard.getByRole('dialog')).toBeVisible();
          await shoot(dashboard, `dialog-${place}`);
        }
        const portal = await context.newPage();
        await portal.goto(await portalLink(everything.api, everything));
        await expect(portal.getByRole('heading', { name: everything.customer.name })).toBeVisible();
        await shoot(portal, 'portal');
      });
    });
  }
}

/** A path as the name of a file, with words in place of ids. */
function named(path: string, everything: object): string {
  const named = Object.entries(everything).reduce(
    (text, [kind, { id }]) => (id === undefined ? text : text.replaceAll(id, kind)),
    path,
  );
  return named.replaceAll(/\W+/g, '-').replace(/^-/, '') || 'overview';
}
