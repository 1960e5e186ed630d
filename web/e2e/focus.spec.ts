import type { Api } from './harness/api';
import { type Account, makeAccount } from './harness/data';
import { expect, signedIn, test } from './harness/test';

async function makeToken(api: Api, name: string): Promise<void> {
  await api.ask(
    `mutation Token($name: String!) {
      accessTokenCreate(input: { name: $name, scopes: [USAGE_READ] }) { userErrors { message path } }
    }`,
    { name },
  );
}

/** Grants credit that does not expire with its period. */
async function grant(api: Api, { customer, meter }: Account, reason: string): Promise<void> {
  await api.ask(
    `mutation Grant($input: CustomerMeterCreditInput!) {
      customerMeterCredit(input: $input) { userErrors { message path } }
    }`,
    {
      input: {
        customerId: customer.id,
        meterId: meter.id,
        units: '500',
        reason,
        expiresAt: new Date(Date.now() + 9 * 86_400_000).toISOString(),
      },
    },
  );
}

test('the focus goes to the row of what was voided, whose button is gone', async ({
  dashboard: page,
  api,
  account,
}) => {
  await grant(api, account, 'A fair');
  await page.goto(`/customers/${account.customer.id}?part=credits`);
  await page.getByRole('button', { name: 'Void A fair' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('Granted twice');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(dialog.getByRole('button', { name: 'Void grant' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Void A fair' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Usage of A fair' })).toBeFocused();
});

test('the focus goes to the heading if there is nothing else to press', async ({
  dashboard: page,
  api,
  account,
}) => {
  const { customer, event } = account;
  await api.send([1, 2].map((units) => ({ name: event, customer: customer.externalId, units })));
  const dialog = page.getByRole('dialog');

  await test.step('that of the card, after events were voided in a list', async () => {
    await page.goto(`/events?name=${event}`);
    await page
      .getByRole('checkbox', { name: `Select ${event}` })
      .first()
      .check();
    await page.getByRole('button', { name: 'Void 1 event…' }).click();
    await dialog.getByLabel('Reason').fill('Sent twice');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(page.getByRole('button', { name: 'Void 1 event…' })).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'Latest events' })).toBeFocused();
  });

  await test.step('that of the page, after its event was voided', async () => {
    await page.getByRole('row').filter({ hasText: 'Counted' }).getByRole('link').first().click();
    await page.getByRole('button', { name: 'Void…' }).click();
    await dialog.getByLabel('Reason').fill('A load test');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(page.getByText('A load test')).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  });
});

test('the focus goes to the heading of the page that follows a deletion', async ({
  page,
  url,
  own,
}) => {
  const { meter } = await makeAccount(own);
  const { usageAlertCreate } = await own.ask(
    `mutation Alert($meter: ID!) {
      usageAlertCreate(
        input: { name: "Nearly", kind: CREDIT_USED_PERCENT, threshold: "80", meterId: $meter }
      ) { alert { id } userErrors { message path } }
    }`,
    { meter: meter.id },
  );
  await signedIn(page, url, own);
  await page.goto(`/alerts/${usageAlertCreate.alert.id}`);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete alert' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Alerts' })).toBeFocused();
});

test('the focus goes to the next row, where a row has no button any more', async ({
  page,
  url,
  own,
}) => {
  await makeToken(own, 'One');
  await makeToken(own, 'Two');
  await signedIn(page, url, own);
  await page.goto('/settings');
  const buttons = page
    .getByRole('table', { name: 'Access tokens' })
    .getByRole('button', { name: /^Revoke/ });
  await expect(buttons).toHaveCount(3);
  const name = (await buttons.nth(1).getAttribute('aria-label'))?.replace('Revoke ', '') ?? '';
  await buttons.nth(1).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Type the token’s name').fill(name);
  await dialog.getByRole('button', { name: 'Revoke token' }).click();
  await expect(buttons).toHaveCount(2);
  // The button of the row after it.
  await expect(buttons.nth(1)).toBeFocused();
});

test('the focus goes back to the menu whose entry opened the dialog', async ({
  page,
  url,
  own,
}) => {
  const { webhookEndpointCreate } = await own.ask(
    `mutation {
      webhookEndpointCreate(input: { url: "http://127.0.0.1:9/hooks", eventTypes: ["meter.failing"] }) {
        webhookEndpoint { id }
        userErrors { message path }
      }
    }`,
  );
  await signedIn(page, url, own);
  await page.goto(`/settings/webhooks/${webhookEndpointCreate.webhookEndpoint.id}`);
  const menu = page.getByRole('button', { name: 'More actions' });
  await menu.click();
  await page.getByRole('menuitem', { name: 'Rotate secret' }).click();
  const dialog = page.getByRole('dialog');
  // The dialog with the new secret takes the place of the question.
  await dialog.getByRole('button', { name: 'Rotate secret' }).click();
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(menu).toBeFocused();
});
