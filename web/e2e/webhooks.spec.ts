import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from './harness/test';

interface Receiver {
  url: string;
  server: Server;
  /** What it answers. */
  status: number;
  /** The headers `webhook-id` and the types of what came. */
  came: { id: string; type: string; signature: string }[];
}

async function receiving(): Promise<Receiver> {
  const receiver: Receiver = { url: '', server: createServer(), status: 500, came: [] };
  receiver.server.on('request', async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) {
      parts.push(part as Buffer);
    }
    const { type } = JSON.parse(Buffer.concat(parts).toString()) as { type: string };
    const id = String(request.headers['webhook-id']);
    receiver.came.push({ id, type, signature: String(request.headers['webhook-signature']) });
    response.writeHead(receiver.status).end();
  });
  await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(receiver.server.address() as AddressInfo).port}/hooks`;
  return receiver;
}

/** From a new endpoint to a delivery that is sent again, by clicks. */
test('an endpoint is created, tested, rotated, disabled and deleted', async ({
  dashboard: page,
}) => {
  const receiver = await receiving();
  try {
    await test.step('its secret is shown once', async () => {
      await page.goto('/settings');
      await page.getByRole('link', { name: 'See the webhook endpoints' }).click();
      await page.getByRole('button', { name: 'New endpoint' }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('URL').fill('ftp://nowhere.example/');
      await dialog.getByRole('button', { name: 'Create endpoint' }).click();
      await expect(dialog.getByText('must begin with https://')).toBeVisible();
      await dialog.getByLabel('URL').fill(receiver.url);
      await dialog.getByLabel('meter.failing').check();
      await dialog.getByRole('button', { name: 'Create endpoint' }).click();
      await expect(dialog.getByText(/^whsec_/)).toBeVisible();
      await dialog.getByRole('button', { name: 'I have copied it' }).click();
      await page.getByRole('link', { name: receiver.url }).click();
      await expect(page.getByRole('heading', { level: 1, name: receiver.url })).toBeVisible();
      await expect(page.getByText(/^whsec_/)).toHaveCount(0);
    });

    await test.step('a test event fails, and the page shows it by itself', async () => {
      await page.getByRole('button', { name: 'Send test event' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Send test event' }).click();
      await expect(page.getByText('HTTP status 500.').first()).toBeVisible();
      await expect(page.getByText('Failing', { exact: true })).toBeVisible();
      await page.getByLabel('Status').selectOption('DELIVERED');
      await expect(page.getByText('No delivery matches')).toBeVisible();
      await page.getByLabel('Status').selectOption('FAILED');
    });

    await test.step('it is sent again, and arrives with the same id', async () => {
      receiver.status = 200;
      await page.getByRole('link', { name: 'webhook.test' }).click();
      await expect(page.getByRole('group', { name: 'payload' })).toContainText(receiver.url);
      await page.getByRole('button', { name: 'Send again' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
      await expect(page.getByText('HTTP status 200.')).toBeVisible();
      await expect(page.getByText('HTTP status 500.')).toBeVisible();
      expect(receiver.came.map(({ type }) => type)).toEqual(['webhook.test', 'webhook.test']);
      expect(new Set(receiver.came.map(({ id }) => id)).size).toBe(1);
    });

    await test.step('a rotated secret signs beside the old one', async () => {
      await page.getByRole('link', { name: receiver.url }).click();
      await act('Rotate secret');
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();
      await expect(page.getByRole('dialog').getByText(/^whsec_/)).toBeVisible();
      await page.getByRole('button', { name: 'I have copied it' }).click();
      await page.getByRole('button', { name: 'Send test event' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Send test event' }).click();
      await expect.poll(() => receiver.came.length).toBe(3);
      expect(receiver.came[2]?.signature).toMatch(/^v1,\S+ v1,\S+$/);
    });

    await test.step('disabled, enabled and deleted', async () => {
      await act('Disable');
      await page.getByRole('dialog').getByRole('button', { name: 'Disable endpoint' }).click();
      await expect(page.getByText('Disabled', { exact: true })).toBeVisible();
      await expect(page.getByRole('button', { name: 'Send test event' })).toHaveCount(0);
      await act('Enable');
      await page.getByRole('dialog').getByRole('button', { name: 'Enable endpoint' }).click();
      await expect(page.getByText('Enabled', { exact: true })).toBeVisible();
      await act('Delete');
      await page.getByRole('dialog').getByRole('button', { name: 'Delete endpoint' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Webhooks' })).toBeVisible();
      await expect(page.getByRole('link', { name: receiver.url })).toHaveCount(0);
    });
  } finally {
    receiver.server.closeAllConnections();
    receiver.server.close();
  }

  async function act(name: string): Promise<void> {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  }
});
