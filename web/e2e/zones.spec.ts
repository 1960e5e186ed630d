import type { Api } from './harness/api';
import { type Account, makeAccount } from './harness/data';
import { expect, test } from './harness/test';

/** West and east of UTC, half hours, and the days that a clock changes on. */
const VIEWS = [
  { zone: 'Pacific/Honolulu', days: '2026-09-10..2026-09-14', what: 'ten hours behind' },
  { zone: 'Asia/Kolkata', days: '2026-09-10..2026-09-14', what: 'five and a half hours ahead' },
  { zone: 'Pacific/Kiritimati', days: '2026-09-10..2026-09-14', what: 'fourteen hours ahead' },
  { zone: 'Europe/Paris', days: '2026-10-24..2026-10-26', what: 'with a day of 25 hours' },
  { zone: 'America/New_York', days: '2026-03-07..2026-03-09', what: 'with a day of 23 hours' },
];

for (const { zone, days, what } of VIEWS) {
  test(`the chart’s table equals the API’s points in ${zone}, ${what}`, async ({
    dashboard,
    api,
    url,
  }) => {
    const account = await makeAccount(api);
    await sendThrough(api, account, days);
    const asked = dashboard.waitForRequest(
      (request) => request.postData()?.includes('query MeterPage') ?? false,
    );
    const address = `${url}/meters/${account.meter.id}?range=${days}&zone=${zone}`;
    await dashboard.goto(address);
    const { variables } = (await asked).postDataJSON();
    expect(variables.zone).toBe(zone);

    for (const interval of ['DAY', 'HOUR']) {
      await dashboard.getByLabel('Interval').selectOption(interval);
      await dashboard.getByText('Table', { exact: true }).click();
      const { meter } = await api.ask(
        `query Points($id: ID!, $start: DateTime!, $end: DateTime!, $interval: Interval!, $zone: String!) {
          meter(id: $id) {
            quantities(start: $start, end: $end, interval: $interval, timezone: $zone) {
              points { quantity } total
            }
          }
        }`,
        { id: account.meter.id, ...variables, interval },
      );
      const points: string[] = meter.quantities.points.map(
        ({ quantity }: { quantity: string }) => quantity,
      );
      const rows = dashboard
        .getByRole('table', { name: new RegExp(`^${account.meter.name}`) })
        .locator('tbody tr');
      await expect(rows).toHaveCount(points.length);
      const shown = await rows.evaluateAll((elements) =>
        elements.map((row) => row.querySelector('data')?.getAttribute('value')),
      );
      expect(shown).toEqual(points);
      const first = await rows.first().textContent();
      const names = await rows.evaluateAll((elements) =>
        elements.map((row) => row.querySelector('th')?.textContent),
      );
      expect(new Set(names).size, `each period has a name of its own, from ${first}`).toBe(
        points.length,
      );
    }
  });
}

/** An event in every hour of the days, and of the days beside them: each has another number. */
async function sendThrough(api: Api, account: Account, days: string): Promise<void> {
  const [first = '', last = ''] = days.split('..');
  const from = Date.parse(`${first}T00:00:00Z`) - 86_400_000;
  const to = Date.parse(`${last}T00:00:00Z`) + 2 * 86_400_000;
  const hours = Array.from({ length: (to - from) / 3_600_000 }, (_none, hour) => hour);
  await api.send(
    hours.map((hour) => ({
      name: account.event,
      customer: account.customer.externalId,
      units: hour + 1,
      timestamp: new Date(from + hour * 3_600_000 + 1_800_000).toISOString(),
    })),
  );
  await expect
    .poll(async () => {
      const { meter } = await api.ask(
        'query Counted($id: ID!) { meter(id: $id) { progress { countedEvents } } }',
        { id: account.meter.id },
      );
      return meter.progress.countedEvents;
    })
    .toBe(hours.length);
}
