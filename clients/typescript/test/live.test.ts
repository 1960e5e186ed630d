/** What the client reads, and live usage that resumes. */
import { expect, test } from 'vitest';
import { ApiError, InvalidInputError, UnreachableError, type UsageUpdate } from '../src/index.js';
import { answer, apiError, client, fallSilent, newToken, proxy, until } from './world.js';

const METER = `mutation {
  meterCreate(input: {
    name: "Tokens", unit: "token", filter: { clauses: [] }
    aggregation: { function: SUM, property: "tokens" }
  }) { meter { id } userErrors { message } }
}`;

/** An organization with a meter that sums tokens. */
async function metered(url?: string) {
  const token = await newToken();
  const { metergraph } = client({ token, ...(url === undefined ? {} : { url }) });
  const made = await metergraph.execute<{ meterCreate: { meter: { id: string } } }>(METER);
  const meterId = made.meterCreate.meter.id;
  async function use(tokens: number) {
    metergraph.ingest({ name: 'call', externalCustomerId: 'acme', metadata: { tokens } });
    await metergraph.flush();
  }
  return { metergraph, meterId, use, token };
}

/** Takes updates until one has consumed so many units. */
async function consumed(
  updates: AsyncIterator<UsageUpdate, void>,
  units: string,
): Promise<UsageUpdate[]> {
  const seen: UsageUpdate[] = [];
  for (;;) {
    const { value } = await updates.next();
    if (!value) {
      throw new Error(`The updates ended before ${units} units.`);
    }
    seen.push(value);
    if (value.customerMeter.consumedUnits === units) {
      return seen;
    }
  }
}

test('usage and balance of a customer', async () => {
  const { metergraph, meterId, use } = await metered();
  const acme = { externalCustomerId: 'acme' };
  await use(12.5);
  await until(async () => (await metergraph.customerMeters(acme))[0]?.consumedUnits === '12.5');
  const [usage] = await metergraph.customerMeters(acme);
  expect(usage).toMatchObject({ meter: { id: meterId, unit: 'token' }, balance: '-12.5' });
  expect(await metergraph.customerMeter({ ...acme, meterId })).toMatchObject({ balance: '-12.5' });
  expect(await metergraph.usageCheck({ ...acme, meterId, units: '0.5' })).toEqual({
    allowed: false,
    balance: '-12.5',
    hasMeteredPrice: false,
  });
  const unknown = { externalCustomerId: 'unknown' };
  expect(await metergraph.customerMeters(unknown)).toEqual([]);
  expect(await metergraph.customerMeter({ ...unknown, meterId })).toBeNull();
  await expect(metergraph.usageCheck({ ...unknown, meterId })).rejects.toMatchObject({
    name: 'ApiError',
    code: 'NOT_FOUND',
    retryable: false,
  });
});

test('what is refused, and what gives no answer, is an error', async () => {
  const between = await proxy();
  const { metergraph } = client({ url: between.url, token: await newToken() });
  const create = `mutation {
    customerCreate(input: { name: "" }) { userErrors { code message path } }
  }`;
  const refused = await metergraph.execute(create).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(InvalidInputError);
  expect((refused as InvalidInputError).userErrors).toMatchObject([
    { code: 'INVALID', path: ['name'] },
  ]);
  await expect(metergraph.execute('{ nonsense }')).rejects.toThrow(ApiError);
  between.planned.push(fallSilent, answer(502), apiError(429, 'RATE_LIMITED'));
  const me = '{ me { scopes } }';
  await expect(metergraph.execute(me, {}, { timeoutMs: 1000 })).rejects.toThrow(UnreachableError);
  await expect(metergraph.execute(me)).rejects.toMatchObject({ status: 502 });
  await expect(metergraph.execute(me)).rejects.toMatchObject({ retryable: true });
  const reason = new Error('Enough');
  const signal = AbortSignal.abort(reason);
  await expect(metergraph.execute(me, {}, { signal })).rejects.toBe(reason);
  between.planned.push(fallSilent);
  const controller = new AbortController();
  const asked = metergraph.execute(me, {}, { signal: controller.signal });
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

test('updates come as they happen, over connections that break, each once', async () => {
  const between = await proxy();
  const { metergraph, meterId, use } = await metered(between.url);
  const interruptions: Error[] = [];
  const updates = metergraph.usageUpdated({
    externalCustomerId: 'acme',
    meterId,
    onInterrupted: (reason) => interruptions.push(reason),
  });
  await use(1);
  const first = await consumed(updates, '1');
  between.cut();
  await use(2);
  const second = await consumed(updates, '3');
  between.planned.push(answer(502), apiError(503, 'INTERNAL', { retryable: true }));
  between.cut();
  const third = consumed(updates, '7');
  await until(() => between.planned.length === 0);
  await use(4);
  const all = [...first, ...second, ...(await third)];
  expect(new Set(all.map(({ cursor }) => cursor)).size).toBe(all.length);
  expect(interruptions.length).toBeGreaterThanOrEqual(4);
  await updates.return();
  expect(await updates.next()).toEqual({ done: true, value: undefined });
});

test('a cursor goes on where another process has stopped', async () => {
  const { metergraph, meterId, use } = await metered();
  await use(1);
  const [update] = (await consumed(metergraph.usageUpdated({ meterId }), '1')).slice(-1);
  await use(2);
  const later = metergraph.usageUpdated({ meterId, after: update?.cursor ?? '' });
  const seen = await consumed(later, '3');
  expect(seen.map(({ customerMeter }) => customerMeter.consumedUnits)).not.toContain('1');
  await later.return();
});

test('a cursor that a restore has undone begins again, and says so', async () => {
  const between = await proxy();
  const { metergraph, meterId, use } = await metered(between.url);
  await use(1);
  const [update] = (await consumed(metergraph.usageUpdated({ meterId }), '1')).slice(-1);
  const expired = { errors: [{ message: 'Restored', extensions: { code: 'CURSOR_EXPIRED' } }] };
  const text = `event: next\ndata: ${JSON.stringify(expired)}\n\nevent: complete\ndata:\n\n`;
  between.planned.push(answer(200, text, { 'content-type': 'text/event-stream' }));
  let restarts = 0;
  const updates = metergraph.usageUpdated({
    meterId,
    after: update?.cursor ?? '',
    onRestart: () => {
      restarts += 1;
    },
  });
  const [again] = await consumed(updates, '1');
  expect([restarts, again?.cursor]).toEqual([1, update?.cursor]);
  const [before, after] = between.bodies.slice(-2).map((body) => JSON.parse(body).variables.after);
  expect([before, after]).toEqual([update?.cursor, undefined]);
  await updates.return();
});

test('a connection that falls silent is given up', async () => {
  const between = await proxy();
  const { metergraph: sending, meterId, use, token } = await metered();
  const { metergraph } = client({ url: between.url, token });
  between.planned.push((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  await use(1);
  const reasons: string[] = [];
  const updates = metergraph.usageUpdated({
    meterId,
    silenceMs: 1000,
    onInterrupted: ({ message }) => reasons.push(message),
  });
  await consumed(updates, '1');
  expect(reasons[0]).toBe('Nothing was heard for 1000 ms.');
  await updates.return();
  await sending.close();
});

test('a signal ends the updates, and a refusal is thrown', async () => {
  const { metergraph, meterId, use } = await metered();
  await use(1);
  const controller = new AbortController();
  const updates = metergraph.usageUpdated({ meterId, signal: controller.signal });
  await consumed(updates, '1');
  const next = updates.next();
  controller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  const { metergraph: stranger } = client({ token: 'mg_unknown' });
  await expect(stranger.usageUpdated().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
