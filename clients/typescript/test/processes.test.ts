/** Node.js processes that end at a bad time. They run what the package exports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answer, newToken, proxy, server, stored, until } from './world.js';

const PACKAGE = join(import.meta.dirname, '..');
const BEGIN = `
  import { Metergraph } from '@metergraph/client';
  const { URL_: url, TOKEN: token } = process.env;
  const call = { name: 'call', externalCustomerId: 'acme' };
  const client = new Metergraph({ url, token, closeMs: 500 });
`;

interface Running {
  process: ChildProcess;
  output: { out: string; err: string };
}

function run(program: string, token: string, url = server.url): Running {
  const started = spawn(process.execPath, ['--input-type=module', '--eval', BEGIN + program], {
    cwd: PACKAGE,
    env: { ...process.env, URL_: url, TOKEN: token },
  });
  const output = { out: '', err: '' };
  started.stdout.on('data', (data) => {
    output.out += data;
  });
  started.stderr.on('data', (data) => {
    output.err += data;
  });
  return { process: started, output };
}

async function finished(running: Running): Promise<{ out: string[]; err: string }> {
  await once(running.process, 'close');
  return { out: running.output.out.split(/\s+/).filter(Boolean), err: running.output.err };
}

test('a process that has nothing more to do delivers what is queued', async () => {
  const token = await newToken();
  const { out, err } = await finished(
    run('for (let n = 0; n < 5; n++) console.log(client.ingest(call));', token),
  );
  expect(err).toBe('');
  expect(out).toHaveLength(5);
  expect(await stored(token)).toEqual(out.sort());
});

test.each([
  ['ends', ''],
  ['exits', 'process.exit(3);'],
])('a process that %s says what it could not deliver', async (_how, end) => {
  const between = await proxy();
  between.always = () => answer(503);
  const { out, err } = await finished(
    run(`console.log(client.ingest(call)); ${end}`, 'mg_token', between.url),
  );
  expect(err).toContain('1 events are not delivered');
  expect(err).toContain(out[0]);
});

test('what a killed process was told is stored is stored once', async () => {
  const token = await newToken();
  const between = await proxy();
  const program = `for (;;) {
    const ids = client.ingestAll([call, call, call]);
    await client.flush();
    console.log(...ids);
  }`;
  const running = run(program, token, between.url);
  await until(() => between.bodies.length >= 3);
  running.process.kill('SIGKILL');
  await once(running.process, 'close');
  const told = running.output.out
    .slice(0, running.output.out.lastIndexOf('\n') + 1)
    .split(/\s+/)
    .filter(Boolean);
  const found = await stored(token);
  expect(told.length).toBeGreaterThanOrEqual(3);
  expect(found).toEqual(expect.arrayContaining(told));
  expect(new Set(found).size).toBe(found.length);
});
