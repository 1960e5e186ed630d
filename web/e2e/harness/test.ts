/**
 * `test` with a running server, an organization of one's own, and pages whose errors fail the test.
 *
 * Tests run in parallel, each worker's in an organization of its own, where nothing else happens
 * meanwhile. Earlier tests have left their objects there: look for names and ids of `account`.
 */
import { randomBytes } from 'node:crypto';
import { test as base, type Cookie, expect, type Page, request } from '@playwright/test';
import { Api } from './api';
import { type Account, makeAccount } from './data';
import { type Everything, makeEverything } from './everything';
import { command, newOrganization } from './server';
import { organizationOf, started } from './start';
import { Wire } from './wire';

export { expect };

interface Shared {
  /** The server's address. */
  url: string;
  /** The short name of the worker's organization. */
  organization: string;
  /** The worker's organization, which has at least one of everything. May do everything. */
  api: Api;
  /** What the worker's organization has first, with usage beyond its credit. Only to look at. */
  first: Account;
  /** The demo organization, with 90 days of history. Only to look at: all workers share it. */
  demo: Api;
  /** An organization that has nothing, and stays so. */
  empty: Api;
  /** Another organization, whose objects no page may show. */
  stranger: Api;
  /** An organization with one of everything that has a page or a dialog. Only to look at. */
  everything: Everything & { api: Api };
  /** Runs `metergraph` beside the server; returns what it printed. */
  metergraph(...words: string[]): Promise<string>;
  /** The cookies of a session of the dashboard. */
  session: Cookie[];
}

interface Own {
  /** Tells that the test itself causes such errors. */
  expectErrors(...patterns: RegExp[]): void;
  /** A new customer with a meter, a product, a subscription and its first invoice. */
  account: Account;
  /** A new organization, for a test that changes its settings. */
  own: Api;
  /** A connection to the server that can be cut. */
  wire: Wire;
  /** A page that is signed in to the dashboard, and is not there yet: `dashboard.goto('/meters')`. */
  dashboard: Page;
}

/** Playwright reads from the pattern that it needs nothing. */
type Nothing = Record<never, never>;

const apiOf =
  (organization: string) =>
  // biome-ignore lint/correctness/noEmptyPattern: see Nothing
  async ({}: Nothing, use: (api: Api) => Promise<void>) => {
    await use(apiFor(organization));
  };

export const test = base.extend<Own, Shared>({
  // biome-ignore lint/correctness/noEmptyPattern: see Nothing
  url: [async ({}, use) => use(started().url), { scope: 'worker' }],
  baseURL: async ({ url }, use) => use(url),
  organization: [
    // biome-ignore lint/correctness/noEmptyPattern: see Nothing
    async ({}, use, { parallelIndex }) => use(organizationOf(parallelIndex)),
    { scope: 'worker' },
  ],
  api: [async ({ organization }, use) => use(apiFor(organization)), { scope: 'worker' }],
  first: [
    async ({ api }, use) => {
      const account = await makeAccount(api);
      await api.send([{ name: account.event, customer: account.customer.externalId, units: 1500 }]);
      await use(account);
    },
    { scope: 'worker', auto: true },
  ],
  demo: [apiOf('demo'), { scope: 'worker' }],
  empty: [apiOf('empty'), { scope: 'worker' }],
  stranger: [apiOf('stranger'), { scope: 'worker' }],
  everything: [
    // biome-ignore lint/correctness/noEmptyPattern: see Nothing
    async ({}, use) => {
      const api = await apiOfNew();
      await use({ api, ...(await makeEverything(api)) });
    },
    { scope: 'worker' },
  ],
  metergraph: [
    // biome-ignore lint/correctness/noEmptyPattern: see Nothing
    async ({}, use) => use((...words) => command(started().folder, words)),
    { scope: 'worker' },
  ],
  session: [async ({ url, api }, use) => use(await openSession(url, api)), { scope: 'worker' }],
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
  // biome-ignore lint/correctness/noEmptyPattern: see Nothing
  own: async ({}, use) => use(await apiOfNew()),
  wire: async ({ url }, use) => {
    const wire = await Wire.start(Number(new URL(url).port));
    await use(wire);
    await wire.stop();
  },
  dashboard: async ({ page, session }, use) => {
    await page.context().addCookies(session);
    await use(page);
  },
});

function apiFor(organization: string): Api {
  const { url, tokens } = started();
  const token = tokens[organization];
  if (token === undefined) {
    throw new Error(`There is no organization ${organization}`);
  }
  return new Api(url, token);
}

async function apiOfNew(): Promise<Api> {
  const { url, folder } = started();
  return new Api(url, await newOrganization(folder, `new-${randomBytes(4).toString('hex')}`));
}

/** A session of the dashboard, as its sign-in page opens one. */
export async function openSession(url: string, { token }: Api): Promise<Cookie[]> {
  const browser = await request.newContext({
    extraHTTPHeaders: { Origin: url, 'X-Metergraph-Client': 'dashboard' },
  });
  try {
    const answer = await browser.post(`${url}/session`, { data: { token } });
    expect(answer.status(), await answer.text()).toBe(200);
    return (await browser.storageState()).cookies;
  } finally {
    await browser.dispose();
  }
}

/** Gives a page a session of the dashboard in the organization of an API. */
export async function signedIn(page: Page, url: string, api: Api): Promise<Page> {
  await page.context().addCookies(await openSession(url, api));
  return page;
}

/** Signs in as the link does that `make run` prints. */
export async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(`${url}/#token=${token}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
}

/** The number in a cell or figure, exact. */
export function exactly(quantity: number | string): string {
  return `data[value="${quantity}"]`;
}
