import { printedText } from './harness/printed';
import { expect, test } from './harness/test';

test('a printed invoice has its numbers, and nothing of the page around it', async ({
  dashboard,
  api,
  account,
}) => {
  await dashboard.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await dashboard.goto(`/invoices/${account.invoice.id}`);
  const { invoice } = await api.ask(
    `query Invoice($id: ID!) {
      invoice(id: $id) { number total lines { description amount } }
    }`,
    { id: account.invoice.id },
  );
  const main = dashboard.getByRole('main');
  await expect(main.getByText(invoice.number)).toBeVisible();
  await expect(main.getByText(account.customer.name)).toBeVisible();
  const lines = main.getByRole('table', { name: 'Lines' });
  for (const { description, amount } of invoice.lines) {
    const line = lines.getByRole('row').filter({ hasText: description });
    await expect(line.locator(`data[value="${amount}"]`)).toBeVisible();
  }
  await expect(lines.getByRole('row').last()).toContainText('1,234.56');
  await expect(dashboard.getByRole('navigation')).toBeHidden();
  await expect(dashboard.getByRole('button', { name: /^Print/ })).toBeHidden();

  const colours = await lines.evaluate((element) => {
    const { color, backgroundColor } = getComputedStyle(element);
    return { color, backgroundColor };
  });
  const [red = 255] = (colours.color.match(/[\d.]+/g) ?? []).map(Number);
  expect(red, `dark ink, also in the dark theme: ${colours.color}`).toBeLessThan(128);

  // On paper of A4 nothing is cut off at the side.
  await dashboard.setViewportSize({ width: 794, height: 1123 });
  const excess = await lines.evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(excess).toBeLessThanOrEqual(0);
  const amounts = await main.locator('data').allTextContents();
  expect(amounts.length).toBeGreaterThan(invoice.lines.length);
  const printed = await printedText(dashboard);
  for (const text of [
    invoice.number,
    account.customer.name,
    account.product.name,
    ...invoice.lines.map(({ description }: { description: string }) => description),
    ...amounts,
  ]) {
    expect(printed).toContain(text.replaceAll(/\s+/g, ' ').trim());
  }
  expect(printed).not.toContain('Print or save as PDF');
});
