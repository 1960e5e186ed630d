import type { Api } from './harness/api';
import { type Account, portalLink } from './harness/data';
import { makeDraft } from './harness/everything';
import { expect, signedIn, test } from './harness/test';

/** Another invoice of a customer, for a product with a fixed price only. */
async function anotherInvoice(
  api: Api,
  { customer }: Account,
): Promise<{ id: string; number: string }> {
  const { productCreate } = await api.ask(
    `mutation {
      productCreate(input: {
        name: "Add-on", recurringInterval: MONTH, prices: [{ fixed: { currency: "USD", amount: 5000 } }]
      }) { product { id } userErrors { message path } }
    }`,
  );
  const { customerSubscriptionCreate } = await api.ask(
    `mutation Subscribe($customer: ID!, $product: ID!) {
      customerSubscriptionCreate(input: { customerId: $customer, productId: $product }) {
        subscription { invoices(first: 1) { nodes { id number } } }
        userErrors { message path }
      }
    }`,
    { customer: customer.id, product: productCreate.product.id },
  );
  return customerSubscriptionCreate.subscription.invoices.nodes[0];
}

test('an invoice is credited and paid, and the customer sees it', async ({
  dashboard,
  page,
  api,
  account,
}) => {
  await dashboard.goto(`/invoices/${account.invoice.id}`);
  const main = dashboard.getByRole('main');
  await expect(main.getByText('Issued').first()).toBeVisible();

  await main.getByRole('button', { name: 'Credit note' }).click();
  const credit = dashboard.getByRole('dialog');
  await credit.getByLabel('Amount in USD').fill('2000');
  await credit.getByLabel('Reason').fill('Slow answers');
  await credit.getByRole('button', { name: 'Issue credit note' }).click();
  await expect(credit.getByText(/At most 123,456 minor units/)).toBeVisible();
  await credit.getByLabel('Amount in USD').fill('34.56');
  await credit.getByRole('button', { name: 'Issue credit note' }).click();
  const notes = main.getByRole('table', { name: 'Credit notes' });
  await expect(notes.getByRole('row').last()).toContainText('Slow answers');
  await expect(notes.getByRole('row').last()).toContainText('34.56');
  // What has a credit note cannot be voided.
  await expect(main.getByRole('button', { name: 'Void' })).toHaveCount(0);

  await main.getByRole('button', { name: 'Mark as paid' }).click();
  const paid = dashboard.getByRole('dialog');
  await paid.getByLabel('Payment reference').fill('Transfer 4711');
  await paid.getByRole('button', { name: 'Mark as paid' }).click();
  await expect(main.getByText('Payment: Transfer 4711')).toBeVisible();
  await expect(main.getByRole('button', { name: 'Mark as paid' })).toHaveCount(0);

  await page.goto(await portalLink(api, account));
  const invoices = page.getByRole('region', { name: 'Invoices' });
  await expect(invoices.getByText('$34.56')).toBeVisible();
  await expect(invoices.getByRole('row', { name: account.invoice.number })).toContainText('Paid');
  await invoices.getByRole('link', { name: account.invoice.number }).click();
  await expect(page.getByRole('table', { name: 'Credit notes' })).toContainText('Slow answers');
  await expect(page.getByText('Transfer 4711')).toHaveCount(0);
});

test('a voided invoice says so, also on paper and in the list', async ({
  dashboard,
  api,
  account,
}) => {
  const invoice = await anotherInvoice(api, account);
  await dashboard.goto(`/invoices/${invoice.id}`);
  const main = dashboard.getByRole('main');
  await main.getByRole('button', { name: 'Void' }).click();
  const dialog = dashboard.getByRole('dialog');
  await dialog.getByText('Write it off').click();
  await dialog.getByRole('button', { name: 'Void and write off' }).click();
  // It needs a reason, and is not done without one.
  await expect(dialog.getByText(/reason is empty/)).toBeVisible();
  await dialog.getByLabel('Reason').fill('Sold by mistake');
  await dialog.getByRole('button', { name: 'Void and write off' }).click();
  await expect(main.getByText('Voided: Sold by mistake')).toBeVisible();
  await dashboard.emulateMedia({ media: 'print' });
  await expect(main.getByText('Void, written off').first()).toBeVisible();
  await expect(main.getByText('This invoice is void. Do not pay it.')).toBeVisible();
  await dashboard.emulateMedia({ media: 'screen' });

  await dashboard.goto(`/invoices?customer=${account.customer.id}`);
  const list = dashboard.getByRole('table', { name: 'Invoices' });
  await expect(list.getByRole('row')).toHaveCount(1 + 2);
  await dashboard.getByLabel('Status').selectOption({ label: 'Void' });
  await expect(list.getByRole('row')).toHaveCount(1 + 1);
  await expect(list.getByRole('row').last()).toContainText(invoice.number);
});

test('a draft follows the usage until it is issued', async ({ page, url, own }) => {
  const draft = await makeDraft(own);
  const dashboard = await signedIn(page, url, own);
  await dashboard.goto(`/invoices/${draft.id}`);
  const main = dashboard.getByRole('main');
  await expect(dashboard.getByRole('heading', { name: 'Draft invoice' })).toBeVisible();
  await expect(main.getByText('This is a draft.')).toBeVisible();
  await main.getByRole('button', { name: 'Issue now' }).click();
  const dialog = dashboard.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Issue now' }).click();
  await expect(dialog).toHaveCount(0);
  // A worker issues it a moment later if events are waiting to be counted, and the page shows it.
  await expect(dashboard.getByRole('heading', { name: /^Invoice \d{6}/ })).toBeVisible();
  await expect(main.getByRole('button', { name: 'Issue now' })).toHaveCount(0);
});

test('the settings have the grace and the payment terms', async ({ page, url, own }) => {
  const dashboard = await signedIn(page, url, own);
  await dashboard.goto('/settings');
  const days = dashboard.getByLabel('Payment term in days');
  await days.fill('many');
  await dashboard.getByRole('button', { name: 'Save changes' }).click();
  await expect(dashboard.getByText('Enter a whole number, such as 14.')).toBeVisible();
  await days.fill('366');
  await dashboard.getByRole('button', { name: 'Save changes' }).click();
  await expect(dashboard.getByText('paymentTermDays must be from 0 to 365.')).toBeVisible();
  await days.fill('30');
  await dashboard.getByRole('button', { name: 'Save changes' }).click();
  await expect(dashboard.getByText('The organization is saved.')).toBeVisible();
  await dashboard.reload();
  await expect(days).toHaveValue('30');
});
