import { expect, test } from './harness/test';

test('a customer is erased by typing its name, and its page says so', async ({
  dashboard: page,
  api,
}) => {
  const mark = `erased-${Date.now()}`;
  const name = `Jane ${mark}`;
  const made = await api.ask(
    `mutation ($input: CustomerCreateInput!) {
       customerCreate(input: $input) { customer { id } userErrors { message } }
     }`,
    { input: { externalId: mark, name, email: `${mark}@example.com` } },
  );
  const { id } = made.customerCreate.customer;
  await api.send([{ name: 'visit', customer: mark, units: 7 }]);

  await page.goto(`/customers/${id}`);
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await page.getByRole('button', { name: 'Erase', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Erase ${name}?` });
  await expect(dialog).toContainText('No number changes.');

  await dialog.getByLabel('Type the customer’s name').fill('Jane');
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(dialog.getByText('This is not the customer’s name.')).toBeVisible();
  await dialog.getByLabel('Type the customer’s name').fill(name);
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(dialog).toBeHidden();

  await expect(page.getByRole('heading', { level: 1, name: 'Erased customer' })).toBeVisible();
  const card = page.getByRole('region', { name: 'Erasure' });
  await expect(card.getByText('Complete', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Credit units' })).toHaveCount(0);
  await expect(page.locator('main')).not.toContainText(mark);

  await page.getByRole('tab', { name: 'Events' }).click();
  await expect(page.getByRole('link', { name: 'visit' })).toBeVisible();
  await page.reload();
  await expect(card.getByText('Complete', { exact: true })).toBeVisible();
});

test('a customer with a live subscription is not erased, and the dialog says why', async ({
  dashboard: page,
  account,
}) => {
  const { customer, product } = account;
  await page.goto(`/customers/${customer.id}`);
  await page.getByRole('button', { name: 'Erase', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Erase ${customer.name}?` });
  await dialog.getByLabel('Type the customer’s name').fill(customer.name);
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(dialog.getByText(`Its subscription to “${product.name}” is active.`)).toBeVisible();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { level: 1, name: customer.name })).toBeVisible();
});
