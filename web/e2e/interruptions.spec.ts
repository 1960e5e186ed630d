import { Api } from './harness/api';
import { consumedUnits, makeAccount } from './harness/data';
import { Server } from './harness/server';
import { exactly, expect, signIn, test } from './harness/test';

const UNREACHABLE = [/WebSocket connection to/, /ERR_(CONNECTION|EMPTY|SOCKET|INCOMPLETE)/];
const LOST = 'Live updates are interrupted. Reconnecting…';

test('a connection cut in the middle: the numbers end equal to the API’s', async ({
  page,
  api,
  account,
  wire,
  expectErrors,
}) => {
  expectErrors(...UNREACHABLE);
  const frames = recordUpdates(page);
  await signIn(page, wire.url, api.token);
  await page.goto(`${wire.url}/customers/${account.customer.id}`);
  const send = (units: number) =>
    api.send([{ name: account.event, customer: account.customer.externalId, units }]);
  await send(10);
  await expect(page.locator(exactly(10)).first()).toBeVisible();

  wire.cut();
  await expect(page.getByText(LOST)).toBeVisible();
  await send(200);
  await send(3000);
  wire.restore();
  await expect(page.locator(exactly(3210)).first()).toBeVisible();
  await expect(page.getByText(LOST)).toHaveCount(0);

  await send(40_000);
  await expect(page.locator(exactly(43_210)).first()).toBeVisible();
  expect(await consumedUnits(api, account)).toBe('43210');
  const cursors = frames();
  expect(new Set(cursors).size, 'no update comes twice').toBe(cursors.length);
});

test('a connection that falls silent is given up, and nothing is missed', async ({
  page,
  api,
  account,
  wire,
  expectErrors,
}) => {
  expectErrors(...UNREACHABLE);
  await signIn(page, wire.url, api.token);
  await page.goto(`${wire.url}/customers/${account.customer.id}`);
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 5 }]);
  await expect(page.locator(exactly(5)).first()).toBeVisible();

  wire.silence();
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 60 }]);
  // A ping after ten seconds, and ten more without a pong.
  await expect(page.locator(exactly(65)).first()).toBeVisible();
  expect(await consumedUnits(api, account)).toBe('65');
});

test('the server is restarted: the page goes on by itself', async ({ page, expectErrors }) => {
  expectErrors(...UNREACHABLE, /status of 50\d/);
  const server = await Server.start({ history: false });
  try {
    const api = new Api(server.url, server.token);
    const account = await makeAccount(api);
    await signIn(page, server.url, api.token);
    await page.goto(`${server.url}/customers/${account.customer.id}`);
    await api.send([{ name: account.event, customer: account.customer.externalId, units: 7 }]);
    await expect(page.locator(exactly(7)).first()).toBeVisible();
    await server.stop();
    await expect(page.getByText(LOST)).toBeVisible();
    await server.run();
    await api.send([{ name: account.event, customer: account.customer.externalId, units: 80 }]);
    await expect(page.locator(exactly(87)).first()).toBeVisible();
    await expect(page.getByText(LOST)).toHaveCount(0);
  } finally {
    await server.remove();
  }
});

/** The cursors of the updates that the page receives. */
function recordUpdates(page: import('@playwright/test').Page): () => string[] {
  const cursors: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload)) as {
        payload?: { data?: { usageUpdated?: { cursor: string } } };
      };
      const update = message.payload?.data?.usageUpdated;
      if (update !== undefined) {
        cursors.push(update.cursor);
      }
    }),
  );
  return () => cursors;
}
