/** Every example of the README has correct types and runs, against a real server. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { client, newToken, server, until } from './world.js';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '..');
const EXAMPLES = join(PACKAGE, 'examples');
const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const blocks = [...README.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text ?? '');

beforeAll(async () => {
  rmSync(EXAMPLES, { recursive: true, force: true });
  mkdirSync(EXAMPLES);
  for (const [index, text] of blocks.entries()) {
    // A busy machine may take longer than an application would wait.
    const patient = text.replace('timeoutMs: 200', 'timeoutMs: 60_000');
    writeFileSync(join(EXAMPLES, `example${index}.ts`), patient);
  }
  const compilerOptions = { noEmit: false, rootDir: '.', outDir: 'built' };
  const options = { extends: '../tsconfig.json', compilerOptions };
  writeFileSync(join(EXAMPLES, 'tsconfig.json'), JSON.stringify({ ...options, include: ['*.ts'] }));
  await run('npx', ['tsc', '-p', EXAMPLES], { cwd: PACKAGE }).catch((error) => {
    throw new Error(error.stdout);
  });
});

const METER = `mutation {
  meterCreate(input: {
    name: "AI usage", unit: "token", filter: { clauses: [] }
    aggregation: { function: SUM, property: "tokens" }
  }) { meter { id } userErrors { message } }
}`;

/** What answers as OpenAI and Anthropic do; loaded before an example. */
const MODELS = `
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const chat = { id: '1', created: 1, model: 'gpt-4.1', choices: [] };
const message = { type: 'message', model: 'claude-sonnet-5-5', content: [], usage: { input_tokens: 7, output_tokens: 4 } };
const real = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const url = String(address);
  if (url.includes('anthropic')) return Response.json(message);
  if (!url.includes('openai')) return real(address, options);
  if (!JSON.parse(options.body).stream) return Response.json({ ...chat, usage });
  const text = 'data: ' + JSON.stringify({ ...chat, usage }) + '\\n\\ndata: [DONE]\\n\\n';
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
};
`;

test('the examples run, in their order', async () => {
  const token = await newToken();
  const { metergraph } = client({ token });
  const made = await metergraph.execute<{ meterCreate: { meter: { id: string } } }>(METER);
  const meterId = made.meterCreate.meter.id;
  const folder = mkdtempSync(join(tmpdir(), 'metergraph-examples-'));
  const models = join(folder, 'models.mjs');
  writeFileSync(models, MODELS);
  const said: string[] = [];
  for (const index of blocks.keys()) {
    const program = join(EXAMPLES, 'built', `example${index}.js`);
    const { stdout } = await run(process.execPath, ['--import', models, program], {
      cwd: folder,
      env: {
        ...process.env,
        METERGRAPH_API_URL: server.url,
        METERGRAPH_TOKEN: token,
        METER: meterId,
        OPENAI_API_KEY: 'key',
        ANTHROPIC_API_KEY: 'key',
      },
    });
    said.push(stdout);
    const customer = { externalCustomerId: 'acme' };
    await until(async () => (await metergraph.customerMeters(customer)).length > 0);
  }
  rmSync(folder, { recursive: true });
  expect(said[0]).toMatch(/^1 event is stored\n/);
  expect(said[2]).toMatch(/^false\n.*acme/s);
  expect(said[3]).toMatch(/^AI usage 392 /);
  const found = await metergraph.execute<{ events: { nodes: { metadata: unknown }[] } }>(
    '{ events(filter: { names: ["ai_usage"] }) { nodes { metadata } } }',
  );
  expect(found.events.nodes.map(({ metadata }) => metadata)).toEqual(
    expect.arrayContaining([
      { model: 'claude-sonnet-5-5', kind: 'input', tokens: 7 },
      { model: 'claude-sonnet-5-5', kind: 'output', tokens: 4 },
      { model: 'gpt-4.1', kind: 'input', tokens: 3 },
      { model: 'gpt-4.1', kind: 'output', tokens: 2 },
    ]),
  );
  expect(found.events.nodes).toHaveLength(7);
});
