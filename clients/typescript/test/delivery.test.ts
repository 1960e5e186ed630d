/** Each event is delivered once, even if requests fail. */
import { expect, test } from 'vitest';
import {
  ClosedError,
  type Event,
  FlushTimeoutError,
  Metergraph,
  QueueFullError,
  UndeliveredError,
} from '../src/index.js';
import {
  answer,
  apiError,
  client,
  control,
  fallSilent,
  loseTheAnswer,
  newToken,
  proxy,
  server,
  stored,
  until,
} from './world.js';

const CALL: Event = { name: 'call', externalCustomerId: 'acme' };

function externalIds(body: string): string[] {
  const { variables } = JSON.parse(body) as {
    variables: { input: { events: { externalId: string }[] } };
  };
  return variables.input.events.map(({ externalId }) => externalId);
}

test('an event is stored as it was given', async () => {
  const token = await newToken();
  const { metergraph } = client({ token });
  const metadata = { model: 'gpt-4.1', tokens: 12n, tags: ['a'] };
  const timestamp = new Date('2026-03-01T12:00:00Z');
  const externalId = metergraph.ingest({ ...CALL, timestamp, metadata });
  metadata.model = 'changed later';
  await metergraph.flush();
  const { events } = await metergraph.execute<{ events: { nodes: unknown[] } }>(
    '{ events { nodes { name externalId timestamp metadata customer { externalId } } } }',
  );
  expect(events.nodes).toEqual([
    {
      name: 'call',
      externalId,
      timestamp: '2026-03-01T12:00:00Z',
      metadata: { model: 'gpt-4.1', tokens: '12', tags: ['a'] },
      customer: { externalId: 'acme' },
    },
  ]);
  expect(externalId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  expect(metergraph.stats).toMatchObject({ queued: 0, inserted: 1 });
});

test('events go in batches by number and by size', async () => {
  const token = await newToken();
  const between = await proxy();
  const byNumber = client({ url: between.url, token, batchEvents: 50, lingerMs: 60_000 });
  byNumber.metergraph.ingestAll(Array<Event>(120).fill(CALL));
  await byNumber.metergraph.flush();
  expect(between.bodies.map((body) => externalIds(body).length)).toEqual([50, 50, 20]);
  const bySize = client({ url: between.url, token, batchBytes: 3000, lingerMs: 60_000 });
  const large = { ...CALL, metadata: { text: 'x'.repeat(1000) } };
  bySize.metergraph.ingestAll(Array<Event>(4).fill(large));
  await bySize.metergraph.flush();
  expect(between.bodies.slice(3).map((body) => externalIds(body).length)).toEqual([2, 2]);
});

test.each([
  ['is lost', loseTheAnswer],
  ['never comes', fallSilent],
])('an event whose answer %s is sent again and stored once', async (_what, fault) => {
  const token = await newToken();
  const between = await proxy();
  between.planned.push(fault);
  const { metergraph } = client({ url: between.url, token, timeoutMs: 1000 });
  const ids = metergraph.ingestAll([CALL, CALL, CALL]);
  await metergraph.flush();
  expect(await stored(token)).toEqual([...ids].sort());
  expect(externalIds(between.bodies[1] ?? '')).toEqual(ids);
  const { inserted, duplicates, retries } = metergraph.stats;
  expect(inserted + duplicates).toBe(3);
  expect(retries).toBeGreaterThanOrEqual(1);
});

test.each([
  ['a broken server', answer(500)],
  ['a proxy without a server', answer(502)],
  ['a page that is not of Metergraph', answer(200, '<html>')],
  ['an outage', apiError(503, 'INTERNAL', { retryable: true })],
  ['a bug', apiError(500, 'INTERNAL', { id: '7f3a' })],
])('%s is waited for', async (_what, fault) => {
  const token = await newToken();
  const between = await proxy();
  between.planned.push(fault);
  const { metergraph, told } = client({ url: between.url, token });
  const ids = metergraph.ingestAll([CALL, CALL]);
  await metergraph.flush();
  expect(await stored(token)).toEqual(ids.sort());
  expect([metergraph.stats.retries, told.rejections]).toEqual([1, []]);
});

test('a server that says when to come back is left alone until then', async () => {
  const between = await proxy();
  between.planned.push(answer(429, '', { 'retry-after': '1' }));
  const { metergraph } = client({ url: between.url, token: await newToken() });
  const begun = performance.now();
  metergraph.ingest(CALL);
  await metergraph.flush();
  expect(performance.now() - begun).toBeGreaterThanOrEqual(1000);
});

test('rejected events are reported, and the others are stored', async () => {
  const token = await newToken();
  const between = await proxy();
  const { metergraph, told } = client({ url: between.url, token, lingerMs: 60_000 });
  const timestamp = '2026-03-01T12:00:00Z';
  const good = metergraph.ingest({ ...CALL, externalId: 'e1', timestamp });
  const bad = metergraph.ingest({ ...CALL, name: '' });
  await metergraph.flush();
  metergraph.ingest({ ...CALL, name: 'other', externalId: 'e1', timestamp });
  await metergraph.flush();
  expect(await stored(token)).toEqual([good]);
  expect(
    told.rejections.map(({ event, code, path }) => [event.externalId, code, path]),
  ).toMatchObject([
    [bad, 'INVALID', ['name']],
    ['e1', 'CONFLICT', {}],
  ]);
  expect(between.bodies).toHaveLength(2);
});

test('an event that spoils its batch is rejected alone', async () => {
  const token = await newToken();
  const { metergraph, told } = client({ token, lingerMs: 60_000 });
  const good = metergraph.ingestAll(Array<Event>(9).fill(CALL));
  const bad = metergraph.ingest({ ...CALL, name: 5 as unknown as string });
  good.push(...metergraph.ingestAll(Array<Event>(9).fill(CALL)));
  await metergraph.flush();
  expect(await stored(token)).toEqual(good.sort());
  expect(told.rejections).toMatchObject([{ event: { externalId: bad }, code: 'BAD_USER_INPUT' }]);
});

test('a batch that is too large for a proxy goes in parts', async () => {
  const token = await newToken();
  const between = await proxy();
  between.always = (body) => (body.length > 3000 ? answer(413) : undefined);
  const { metergraph, told } = client({ url: between.url, token, lingerMs: 60_000 });
  const good = metergraph.ingestAll(Array<Event>(60).fill(CALL));
  const large = metergraph.ingest({ ...CALL, metadata: { text: 'x'.repeat(4000) } });
  await metergraph.flush();
  expect(await stored(token)).toEqual(good.sort());
  expect(told.rejections).toMatchObject([{ event: { externalId: large }, code: 'TOO_COMPLEX' }]);
});

test('an event that the server fails on keeps back no other', async () => {
  const token = await newToken();
  const between = await proxy();
  between.always = (body) =>
    body.includes('"poison"') ? apiError(500, 'INTERNAL', { id: '7f3a' }) : undefined;
  const { metergraph, told } = client({ url: between.url, token, lingerMs: 60_000 });
  const poison = metergraph.ingest({ ...CALL, name: 'poison' });
  const good = metergraph.ingestAll([CALL, CALL, CALL]);
  while (metergraph.stats.inserted < 3) {
    await expect(metergraph.flush(50)).rejects.toThrow(FlushTimeoutError);
  }
  expect(await stored(token)).toEqual([...good].sort());
  between.always = undefined;
  await metergraph.flush();
  expect(await stored(token)).toEqual([...good, poison].sort());
  expect(told.rejections).toEqual([]);
});

test('a token that is not valid rejects at once', async () => {
  const between = await proxy();
  const { metergraph, told } = client({ url: between.url, token: 'mg_unknown', lingerMs: 60_000 });
  metergraph.ingestAll([CALL, CALL, CALL]);
  await metergraph.flush();
  expect(told.rejections.map(({ code }) => code)).toEqual(Array(3).fill('UNAUTHENTICATED'));
  expect(between.bodies).toHaveLength(1);
});

test('a full queue throws, drops and says so, or waits, as the caller chooses', async () => {
  const token = await newToken();
  const between = await proxy();
  between.always = () => answer(503);
  const full = { url: between.url, token, queueEvents: 2 };
  const throwing = client(full);
  const ids = throwing.metergraph.ingestAll([CALL, CALL]);
  expect(() => throwing.metergraph.ingest(CALL)).toThrow(QueueFullError);
  await expect(throwing.metergraph.ingestOrWait(CALL, 50)).rejects.toThrow(QueueFullError);
  const dropping = client({ ...full, whenFull: 'drop' });
  const [, , dropped] = dropping.metergraph.ingestAll([CALL, CALL, CALL]);
  expect(dropping.told).toMatchObject({
    undelivered: [{ externalId: dropped }],
    reasons: ['the queue is full'],
  });
  expect(dropping.metergraph.stats).toMatchObject({ queued: 2, undelivered: 1 });
  await expect(dropping.metergraph.close(0)).rejects.toThrow(UndeliveredError);
  const waiting = [CALL, CALL, CALL].map((event) =>
    throwing.metergraph.ingestOrWait(event, 60_000),
  );
  between.always = undefined;
  ids.push(...(await Promise.all(waiting)));
  await throwing.metergraph.flush();
  expect(await stored(token)).toEqual(ids.sort());
});

test('what is left at the end is said and can be sent again', async () => {
  const token = await newToken();
  const between = await proxy();
  between.planned.push(loseTheAnswer);
  between.always = () => answer(503);
  const { metergraph, told } = client({ url: between.url, token, lingerMs: 60_000 });
  const ids = metergraph.ingestAll([CALL, CALL]);
  await expect(metergraph.flush(10)).rejects.toThrow('2 events are not delivered yet');
  const left = await metergraph.close(100).then(
    () => [],
    (error: UndeliveredError) => error.events,
  );
  expect(left.map(({ externalId }) => externalId)).toEqual(ids);
  expect(told.undelivered).toEqual(left);
  await metergraph.close(); // there is nothing more to say
  expect(() => metergraph.ingest(CALL)).toThrow(ClosedError);
  const later = client({ token });
  later.metergraph.ingestAll(JSON.parse(JSON.stringify(left)) as Event[]);
  await later.metergraph.close();
  expect(await stored(token)).toEqual(ids.sort());
  const { inserted, duplicates } = later.metergraph.stats;
  expect(inserted + duplicates).toBe(2);
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('%s is refused at the call', (tokens) => {
  const metergraph = new Metergraph({ url: server.url, token: 'mg_token' });
  expect(() => metergraph.ingest({ ...CALL, metadata: { tokens } })).toThrow(TypeError);
  expect(metergraph.stats.queued).toBe(0);
});

test('a client needs an address and a token', () => {
  expect(() => new Metergraph({ url: 'usage.example', token: 'mg' })).toThrow('`url`');
  expect(() => new Metergraph({ url: server.url, token: '' })).toThrow('`token`');
});

test('a server that is killed under load has every event once', async () => {
  const token = await newToken();
  const limits = { batchEvents: 20, queueEvents: 100, timeoutMs: 5000 };
  const { metergraph } = client({ token, ...limits });
  const all = Array.from({ length: 600 }, () => metergraph.ingestOrWait(CALL, 120_000));
  await until(() => metergraph.stats.inserted >= 100);
  await control('kill');
  await control('start');
  const ids = await Promise.all(all);
  await metergraph.close(120_000);
  expect(await stored(token)).toEqual(ids.sort());
  const { inserted, duplicates } = metergraph.stats;
  expect(inserted + duplicates).toBe(600);
});
