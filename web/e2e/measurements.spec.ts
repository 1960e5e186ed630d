import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from './harness/api';
import { consumedUnits, makeAccount } from './harness/data';
import { exactly, expect, test } from './harness/test';
import { appeared, watchFor } from './harness/watching';

/** Figures for docs/performance.md and release notes; MEASURE=yes make web-test ARGS=measurements */
test.skip(process.env.MEASURE !== 'yes', 'no pass or fail; MEASURE=yes measures');
test.describe.configure({ mode: 'default' });

const MINUTES = Number(process.env.MINUTES ?? 3);
test.setTimeout((MINUTES + 12) * 60_000);
const PROBES = 100;

test('first loads', () => {
  const pages = join(import.meta.dirname, '..', '..', 'metergraph', 'pages', 'build.json');
  const { firstLoads } = JSON.parse(readFileSync(pages, 'utf8'));
  for (const [page, { gzip }] of Object.entries<{ gzip: number }>(firstLoads)) {
    say(`first load of ${page}: ${(gzip / 1000).toFixed(1)} kB gzip`);
  }
});

test('the first number on a cold start', async ({ browser, api, url, account }) => {
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 9 }]);
  const times: number[] = [];
  for (let start = 0; start < 7; start += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`/nothing#token=${api.token}`);
    await expect(page.getByText('There is no such page')).toBeVisible();
    await page.close();
    const cold = await context.newPage();
    const session = await context.newCDPSession(cold);
    await session.send('Network.clearBrowserCache');
    await cold.goto(`${url}/customers/${account.customer.id}`, { waitUntil: 'commit' });
    await cold.locator(exactly(9)).first().waitFor();
    times.push(await cold.evaluate(() => performance.now()));
    await context.close();
  }
  say(`first number on a cold start: ${spread(times)}`);
});

test('moved numbers and memory at 100 events a second', async ({ dashboard, api, account }) => {
  const noise = await makeAccount(api);
  await api.send([{ name: account.event, customer: account.customer.externalId, units: 1 }]);
  await dashboard.goto(`/customers/${account.customer.id}`);
  await expect(dashboard.locator(exactly(1)).first()).toBeVisible();
  const sending = sendSteadily(api, noise.event, [
    noise.customer.externalId,
    account.customer.externalId,
  ]);
  const delays: number[] = [];
  for (let sent = 1; sent <= PROBES; sent += 1) {
    await watchFor(dashboard, String(sent + 1));
    await api.send([{ name: account.event, customer: account.customer.externalId, units: 1 }]);
    const answered = Date.now();
    delays.push((await appeared(dashboard)) - answered);
  }
  say(`answer to moved number at ${sending.rate()} events/s: ${spread(delays)}`);
  await sending.stop();

  await dashboard.goto('/events');
  const tail = sendSteadily(api, noise.event, [noise.customer.externalId]);
  const session = await dashboard.context().newCDPSession(dashboard);
  const sizes: string[] = [];
  const until = Date.now() + MINUTES * 60_000;
  while (Date.now() < until) {
    await dashboard.waitForTimeout((MINUTES * 60_000) / 6);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    sizes.push((usedSize / 1_000_000).toFixed(1));
  }
  say(
    `heap of the event tail over ${MINUTES} min at ${tail.rate()} events/s, MB: ${sizes.join(', ')}`,
  );
  await tail.stop();
  expect(Number(await consumedUnits(api, account))).toBe(PROBES + 1);
});

test('1,000 updates a second', async ({ page, api }) => {
  // Fifty customers of one meter, so that fifty rows move.
  const account = await makeAccount(api);
  await api.send(
    Array.from({ length: 50 }, (_none, nth) => ({
      name: account.event,
      customer: `${account.customer.externalId}-${nth}`,
      units: 1,
    })),
  );
  await page.addInitScript(() => {
    const messages: string[] = [];
    const sockets: WebSocket[] = [];
    Object.assign(window, { messages, sockets });
    window.WebSocket = class extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols);
        sockets.push(this);
        this.addEventListener('message', ({ data }) => {
          if (String(data).includes('usageUpdated')) {
            messages.push(String(data));
          }
        });
      }
    };
  });
  await page.goto(`/#token=${api.token}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await page.goto(`/meters/${account.meter.id}`);
  await page.waitForFunction(
    () => (window as unknown as { messages: string[] }).messages.length >= 50,
  );
  const session = await page.context().newCDPSession(page);
  // By the thread's own clock, which other programs on the machine do not move.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const work = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  const before = await work();
  const found = await page.evaluate(replay);
  say(`the main thread worked ${Math.round((await work()) * 100 - before * 100)} ms a second`);
  say(
    `1,000 updates/s for 10 s: ${found.updates} updates, longest frame ${found.longest} ms, ` +
      `${found.late} frames over 50 ms, scripting ${found.scripting} ms a second`,
  );
});

/** In the page: repeats what came over its socket, with other numbers, a thousand times a second. */
async function replay() {
  const { messages, sockets } = window as unknown as { messages: string[]; sockets: WebSocket[] };
  const samples = messages.slice(0, 50).map((text) => JSON.parse(text));
  const socket = sockets.at(-1);
  let updates = 0;
  let scripting = 0;
  let longest = 0;
  let late = 0;
  const begun = performance.now();
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      longest = Math.max(longest, Math.round(duration));
      late += 1;
    }
  }).observe({ type: 'long-animation-frame' });
  while (performance.now() - begun < 10_000) {
    const due = Math.floor(performance.now() - begun);
    const before = performance.now();
    for (; updates < due; updates += 1) {
      const sample = samples[updates % samples.length];
      const update = sample.payload.data.usageUpdated;
      update.cursor = `replayed-${updates}`;
      update.customerMeter.consumedUnits = String(updates);
      socket?.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(sample) }));
    }
    scripting += performance.now() - before;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { updates, longest, late, scripting: Math.round(scripting / 10) };
}

/** 100 events a second, ten at a time, one each a tenth of a second. */
function sendSteadily(api: Api, event: string, customers: readonly string[]) {
  const begun = Date.now();
  let sent = 0;
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      const due = Math.floor((Date.now() - begun) / 100) * 10 - sent;
      if (due > 0) {
        await api.send(
          Array.from({ length: due }, (_none, nth) => ({
            name: event,
            customer: customers[nth % customers.length] ?? '',
            units: 1000, // no number that is watched for
          })),
        );
        sent += due;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    rate: () => Math.round(sent / ((Date.now() - begun) / 1000)),
    stop: () => {
      isOver = true;
      return done;
    },
  };
}

function spread(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms`;
}

function say(text: string): void {
  process.stdout.write(`    ${text}\n`);
}
