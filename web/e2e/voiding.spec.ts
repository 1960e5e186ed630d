import { expect, test } from './harness/test';

test('events that were sent by mistake are voided for a reason, and usage follows', async ({
  dashboard: page,
  api,
  account,
}) => {
  const { customer, event, meter } = account;
  const dialog = page.getByRole('dialog');
  await api.send(
    [100, 20, 3].map((units) => ({ name: event, customer: customer.externalId, units })),
  );
  const events = page.getByRole('group', { name: 'Events' });
  const rowOf = (units: number) =>
    events
      .getByRole('row')
      .filter({ hasText: event })
      .filter({ hasText: `units ${units}` });

  await test.step('one is voided on its page', async () => {
    await page.goto(`/events?name=${event}`);
    await rowOf(100).getByRole('link', { name: event }).click();
    await expect(page.getByText('Counted', { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Void…' }).click();
    await expect(dialog.getByLabel('Reason')).toBeFocused();
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog.getByText('reason is empty.')).toBeVisible();
    await dialog.getByLabel('Reason').fill('A load test');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByText('Voided', { exact: true }).first()).toBeVisible();
    await expect(page.getByText('A load test')).toBeVisible();
    await expect(page.getByText('No meter')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Void…' })).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'History' })).toContainText('Events voided');
  });

  await test.step('another one is selected in the list, also on a phone', async () => {
    await page.goto(`/events?name=${event}`);
    await expect(rowOf(100).getByText('Voided')).toBeVisible();
    await expect(rowOf(100).getByRole('checkbox')).toBeDisabled();
    await page.setViewportSize({ width: 390, height: 900 });
    await rowOf(20).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Void 1 event…' }).click();
    await dialog.getByLabel('Reason').fill('Sent twice');
    await dialog.getByRole('button', { name: 'Void event' }).click();
    await expect(dialog).toHaveCount(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await expect(rowOf(20).getByText('Voided')).toBeVisible();
    await expect(rowOf(3).getByText('Voided')).toHaveCount(0);
  });

  await test.step('the list shows only voided events, or leaves them out', async () => {
    const filter = page.getByLabel('Voided events');
    await filter.selectOption('Only voided');
    await expect(rowOf(3)).toHaveCount(0);
    await expect(rowOf(100)).toBeVisible();
    await expect(rowOf(20)).toBeVisible();
    await filter.selectOption('Without voided');
    await expect(rowOf(3)).toBeVisible();
    await expect(rowOf(100)).toHaveCount(0);
    await expect(rowOf(20)).toHaveCount(0);
  });

  await test.step('pages say where they reach into archived months', async () => {
    const archived = page.getByText('Events from before Jan 1, 2026, 00:00 are archived');
    await expect(archived).toHaveCount(0);
    await page.route('**/graphql', async (route) => {
      const sent = route.request().postData() ?? '';
      if (!sent.includes('query EventsFrom') && !sent.includes('query MeterPage')) {
        return route.fallback();
      }
      const answer = await route.fetch();
      const { data } = await answer.json();
      if (data.meter) {
        data.meter.completeFrom = '2026-01-01T00:00:00Z';
      } else {
        data.me.organization.eventsFrom = '2026-01-01T00:00:00Z';
      }
      return route.fulfill({ response: answer, json: { data } });
    });
    await page.goto(`/events?name=${event}&zone=UTC`);
    await expect(archived).toBeVisible();
    await page.goto(`/events?name=${event}&zone=UTC&from=2026-01-02`);
    await expect(rowOf(3)).toBeVisible();
    await expect(archived).toHaveCount(0);
    await page.goto(`/events?name=${event}&zone=UTC&from=2025-12-30`);
    await expect(archived).toBeVisible();
    const incomplete = page.getByText('Usage from before Jan 1, 2026, 00:00 is not complete');
    const days = (first: string) => `range=${first}..2026-01-20&zone=UTC`;
    await page.goto(`/meters/${meter.id}?${days('2025-12-30')}`);
    await expect(incomplete).toBeVisible();
    // It is compared with the days before.
    await page.goto(`/meters/${meter.id}?${days('2026-01-15')}`);
    await expect(page.getByRole('heading', { level: 1, name: meter.name })).toBeVisible();
    await expect(incomplete).toHaveCount(0);
    await page.unrouteAll({ behavior: 'wait' });
  });

  await test.step('only the third counts', async () => {
    await page.goto(`/customers/${customer.id}`);
    await expect(page.locator('data[value="3"]').first()).toBeVisible();
  });
});
