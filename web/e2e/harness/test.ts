/** `test` with a running server, an organization with data, and pages whose errors fail the test. */
import { test as base, expect, type Page } from '@playwright/test';
import { Api } from './api';
import { type Account, makeAccount } from './data';
import { STRANGER_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE, variable } from './start';
import { Wire } from './wire';

export { expect };

interface Shared {
  /** The server's address. */
  url: string;
  /** The demo organization, which may do everything. */
  api: Api;
  /** Another organization on the same server. */
  stranger: Api;
}

interface Own {
  /** Tells that the test itself causes such errors. */
  expectErrors(...patterns: RegExp[]): void;
  account: Account;
  /** A connection to the server that can be cut. */
  wire: Wire;
  /** A page that is signed in to the dashboard. */
  dashboard: Page;
}

export const test = base.extend<Own, Shared>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what it needs
  url: [async ({}, use) => use(variable(URL_VARIABLE)), { scope: 'worker' }],
  api: [async ({ url }, use) => use(new Api(url, variable(TOKEN_VARIABLE))), { scope: 'worker' }],
  stranger: [
    async ({ url }, use) => use(new Api(url, variable(STRANGER_VARIABLE))),
    { scope: 'worker' },
  ],
  expectErrors: [
    async ({ context }, use) => {
      const errors: string[] = [];
      const expected: RegExp[] = [];
      context.on('console', (message) => {
        if (message.type() === 'error') {
          errors.push(`${message.text()} (${message.location().url})`);
        }
      });
      context.on('weberror', (error) => errors.push(String(error.error())));
      await context.exposeFunction('reportViolation', (violation: string) =>
        errors.push(`Content-Security-Policy: ${violation}`),
      );
      await context.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
          const report = (window as { reportViolation?: (text: string) => void }).reportViolation;
          report?.(`${event.effectiveDirective} ${event.blockedURI}`);
        });
      });
      await use((...patterns) => expected.push(...patterns));
      const unexpected = errors.filter((text) => !expected.some((each) => each.test(text)));
      expect(unexpected, 'errors of the page').toEqual([]);
    },
    { auto: true },
  ],
  account: async ({ api }, use) => use(await makeAccount(api)),
  wire: async ({ url }, use) => {
    const wire = await Wire.start(Number(new URL(url).port));
    await use(wire);
    await wire.stop();
  },
  dashboard: async ({ page, url, api }, use) => {
    await signIn(page, url, api.token);
    await use(page);
  },
});

/** Signs in as the link does that `make run` prints. */
export async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(`${url}/#token=${token}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
}

/** The number in a cell or figure, exact. */
export function exactly(quantity: number | string): string {
  return `data[value="${quantity}"]`;
}
