import { makeAccount } from './harness/data';
import { expect, test } from './harness/test';

test('ids of another organization in the address show nothing of it', async ({
  dashboard,
  stranger,
}) => {
  const theirs = await makeAccount(stranger);
  await stranger.send([{ name: theirs.event, customer: theirs.customer.externalId, units: 3 }]);
  const { events } = await stranger.ask('{ events(first: 1) { nodes { id } } }');
  for (const [kind, path] of [
    ['meter', `meters/${theirs.meter.id}`],
    ['meter', `meters/${theirs.meter.id}/edit`],
    ['customer', `customers/${theirs.customer.id}`],
    ['product', `products/${theirs.product.id}`],
    ['product', `products/${theirs.product.id}/edit`],
    ['subscription', `subscriptions/${theirs.subscription.id}`],
    ['invoice', `invoices/${theirs.invoice.id}`],
    ['event', `events/${events.nodes[0].id}`],
  ]) {
    await dashboard.goto(`/${path}`);
    await expect(
      dashboard.getByRole('heading', { name: `There is no such ${kind}` }),
      path,
    ).toBeVisible();
    for (const name of [theirs.customer.name, theirs.meter.name, theirs.product.name]) {
      await expect(dashboard.getByText(name)).toHaveCount(0);
    }
  }
});

test('an address that is nothing’s says so', async ({ dashboard }) => {
  await dashboard.goto('/nothing/of/the/kind');
  await expect(dashboard.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await dashboard.goto('/meters/not-an-id');
  await expect(dashboard.getByRole('heading', { level: 1, name: 'Meters' })).toHaveCount(0);
  await expect(
    dashboard.getByText('There is no such meter').or(dashboard.getByRole('alert')),
  ).toBeVisible();
});
