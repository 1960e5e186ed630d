import { expect, signedIn, test } from './harness/test';

test('an invoice says why it is higher or lower than the one before', async ({
  page,
  url,
  demo,
}) => {
  const { customer } = await demo.ask(
    `{ customer(externalId: "globex") { invoices(last: 2) { nodes {
      id number total lines { kind description amount billableUnits }
    } } } }`,
  );
  const [before, last] = customer.invoices.nodes;
  expect(last.total).toBeGreaterThan(before.total);
  await signedIn(page, url, demo);
  await page.goto(`/invoices/${last.id}`);
  const more = ((last.total - before.total) / 100).toFixed(2);
  const comparison = page.getByRole('region', { name: `$${more} more than the previous invoice` });
  // One word for one thing: the lines of the invoice have it too.
  for (const name of ['Lines', 'Compared with the previous invoice']) {
    const table = page.getByRole('table', { name });
    await expect(table.getByRole('columnheader', { name: 'Billable', exact: true })).toBeVisible();
  }
  for (const { lines } of [before, last]) {
    // A rate of the AI plan is a row: a model and a kind of token.
    for (const { kind, description, amount, billableUnits } of lines) {
      if (kind === 'METERED') {
        const usage = comparison.getByRole('row', { name: description });
        await expect(usage.locator(`data[value="${amount}"]`).first()).toBeVisible();
        await expect(usage.locator(`data[value="${billableUnits}"]`).first()).toBeVisible();
      }
    }
  }
  await comparison.getByRole('link', { name: `Invoice ${before.number}` }).click();
  await expect(page.getByRole('heading', { name: `Invoice ${before.number}` })).toBeVisible();
});
