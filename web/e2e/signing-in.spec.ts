import { makeAccount, portalLink } from './harness/data';
import { expect, signIn, test } from './harness/test';

const UNAUTHENTICATED = /status of 401/;

test.describe('signing in to the dashboard', () => {
  test.beforeEach(({ expectErrors }) => expectErrors(UNAUTHENTICATED));

  test('a token opens it, and signing out closes it in every tab', async ({
    page,
    api,
    context,
  }) => {
    await page.goto('/meters');
    await page.getByLabel('Access token').fill(api.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Meters' })).toBeVisible();

    const other = await context.newPage();
    await other.goto('/customers');
    await expect(other.getByRole('table').getByRole('link').first()).toBeVisible();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByLabel('Access token')).toBeVisible();
    await other.getByRole('link', { name: 'Events', exact: true }).click();
    await expect(other.getByLabel('Access token')).toBeVisible();
  });

  test('a wrong token is refused in words', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByText('Enter an access token.')).toBeVisible();
    await page.getByLabel('Access token').fill('mg_wrong');
    await page.getByLabel('Access token').press('Enter');
    await expect(page.getByText('This token is unknown, revoked or expired.')).toBeVisible();
  });

  test('no script can read the session, and the token stays nowhere', async ({
    page,
    url,
    api,
  }) => {
    await signIn(page, url, api.token);
    expect(new URL(page.url()).hash).toBe('');
    const kept = await page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state]),
    );
    expect(kept).not.toContain(api.token);
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  test('a revoked token ends the page', async ({ page, url, api, account }) => {
    const { accessTokenCreate } = await api.ask(
      `mutation { accessTokenCreate(input: { name: "short-lived", scopes: [ADMIN] }) {
        secret accessToken { id } userErrors { message path }
      } }`,
    );
    await signIn(page, url, accessTokenCreate.secret);
    await page.goto(`/customers/${account.customer.id}`);
    await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
    await api.ask(
      `mutation Revoke($id: ID!) { accessTokenRevoke(input: { id: $id }) {
        userErrors { message path }
      } }`,
      { id: accessTokenCreate.accessToken.id },
    );
    await expect(page.getByLabel('Access token')).toBeVisible();
  });
});

test.describe('the portal', () => {
  test.beforeEach(({ expectErrors }) => expectErrors(UNAUTHENTICATED));

  test('a link opens it as often as one likes, and takes the token out of the address', async ({
    page,
    api,
    account,
  }) => {
    const link = await portalLink(api, account);
    for (let visit = 0; visit < 2; visit += 1) {
      await page.goto(link);
      await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
      expect(new URL(page.url()).hash).toBe('');
      await page.goto('about:blank');
    }
  });

  test('a link that has ended says so, and whom to ask', async ({ page, api, account }) => {
    const link = await portalLink(api, account);
    await page.goto(link);
    await expect(page.getByRole('heading', { name: account.customer.name })).toBeVisible();
    await api.ask(
      `mutation End($customer: ID!) { customerSessionRevoke(input: { customerId: $customer }) {
        revoked userErrors { message path }
      } }`,
      { customer: account.customer.id },
    );
    await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible();
    await page.goto('about:blank');
    await page.goto(link);
    await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible();
    await expect(page.getByText('Ask for a new one')).toBeVisible();
  });

  test('without a link there is nothing to see', async ({ page, account }) => {
    await page.goto('/portal');
    await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible();
    await expect(page.getByText(account.customer.name)).toHaveCount(0);
  });

  test('a link opened beside the dashboard leaves it signed in', async ({
    dashboard,
    context,
    api,
    account,
  }) => {
    const portal = await context.newPage();
    await portal.goto(await portalLink(api, account));
    await expect(portal.getByRole('heading', { name: account.customer.name })).toBeVisible();

    const other = await makeAccount(api);
    await dashboard.goto('/customers');
    await expect(dashboard.getByRole('link', { name: other.customer.name })).toBeVisible();
    await portal.reload();
    await expect(portal.getByRole('heading', { name: account.customer.name })).toBeVisible();
    await expect(portal.getByText(other.customer.name)).toHaveCount(0);
  });
});
