/** Events of language models' responses, in the types of OpenAI's and Anthropic's own SDKs. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, expect, test, vi } from 'vitest';
import type { Event } from '../src/index.js';
import { anthropicEvents, anthropicStream, openaiEvents, openaiStream } from '../src/llm/index.js';

const ACME: Event = {
  name: 'llm_tokens',
  externalCustomerId: 'acme',
  metadata: { feature: 'chat' },
};
const CHAT_USAGE: OpenAI.CompletionUsage = {
  prompt_tokens: 100,
  completion_tokens: 50,
  total_tokens: 150,
  prompt_tokens_details: { cached_tokens: 60 },
  completion_tokens_details: { reasoning_tokens: 20 },
};
const CHAT: OpenAI.ChatCompletion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1',
  choices: [],
  usage: CHAT_USAGE,
};
const CHAT_TOKENS = { input: 40, cached_input: 60, output: 30, reasoning: 20 };
const RESPONSE = {
  id: 'resp_1',
  model: 'gpt-5',
  usage: {
    input_tokens: 90,
    input_tokens_details: { cached_tokens: 30, cache_write_tokens: 10 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 4 },
    total_tokens: 99,
  },
} as OpenAI.Responses.Response;
const RESPONSE_TOKENS = { input: 50, cached_input: 30, cache_write: 10, output: 5, reasoning: 4 };
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5-5',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: {
    input_tokens: 11,
    output_tokens: 1,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    cache_read_input_tokens: 44,
  },
} as unknown as Anthropic.Message;
const KNOWN_TOKENS = {
  input: 11,
  cached_input: 44,
  cache_write: 10,
  cache_write_1h: 20,
  output: 1,
};
const MESSAGE_TOKENS = { ...KNOWN_TOKENS, output: 20, reasoning: 2 };

const CHUNKS = [
  { id: '1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4.1', choices: [] },
  {
    id: '1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-4.1',
    choices: [],
    usage: CHAT_USAGE,
  },
] as OpenAI.ChatCompletionChunk[];
const RESPONSE_EVENTS = [
  { type: 'response.created', sequence_number: 0, response: { ...RESPONSE, usage: null } },
  { type: 'response.completed', sequence_number: 1, response: RESPONSE },
] as unknown as OpenAI.Responses.ResponseStreamEvent[];
const MESSAGE_EVENTS = [
  { type: 'message_start', message: MESSAGE },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: {
      output_tokens: 22,
      output_tokens_details: { thinking_tokens: 2 },
      input_tokens: null,
      cache_read_input_tokens: null,
      cache_creation_input_tokens: null,
    },
  },
  { type: 'message_stop' },
] as unknown as Anthropic.RawMessageStreamEvent[];

/** The tokens of events by kind. All are of one model, and have what the template has. */
function tokensOf(events: Event[], model: string): Record<string, unknown> {
  for (const event of events) {
    expect(event).toMatchObject({
      name: 'llm_tokens',
      externalCustomerId: 'acme',
      metadata: { feature: 'chat', model },
    });
  }
  return Object.fromEntries(events.map(({ metadata }) => [metadata?.kind, metadata?.tokens]));
}

function recorder() {
  const calls: Event[][] = [];
  return { calls, record: (events: Iterable<Event>) => calls.push([...events]) };
}

async function* streamed<T>(chunks: T[], failure?: Error): AsyncGenerator<T> {
  for (const chunk of chunks) {
    yield chunk;
    if (failure !== undefined) {
      throw failure;
    }
  }
}

afterEach(() => vi.restoreAllMocks());

test('responses of the SDKs become an event for each kind of token', () => {
  expect(tokensOf(openaiEvents(CHAT, ACME), 'gpt-4.1')).toEqual(CHAT_TOKENS);
  expect(tokensOf(openaiEvents(RESPONSE, ACME), 'gpt-5')).toEqual(RESPONSE_TOKENS);
  const embeddings: OpenAI.CreateEmbeddingResponse = {
    data: [],
    model: 'text-embedding-3-small',
    object: 'list',
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
  expect(tokensOf(openaiEvents(embeddings, ACME), embeddings.model)).toEqual({ input: 8 });
  expect(tokensOf(anthropicEvents(MESSAGE, ACME), MESSAGE.model)).toEqual(KNOWN_TOKENS);
});

test('an id of one’s own is the id of each kind', () => {
  const events = openaiEvents(CHAT, { ...ACME, externalId: 'chatcmpl-1' });
  expect(events.map(({ externalId }) => externalId)).toEqual(
    Object.keys(CHAT_TOKENS).map((kind) => `chatcmpl-1:${kind}`),
  );
});

test('a response without usage makes no event and says so', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  const { usage: _usage, ...without } = CHAT;
  expect(openaiEvents(without, ACME)).toEqual([]);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('A response of gpt-4.1 has no usage'));
});

test.each([
  [openaiStream<unknown>, CHUNKS, 'gpt-4.1', CHAT_TOKENS],
  [openaiStream<unknown>, RESPONSE_EVENTS, 'gpt-5', RESPONSE_TOKENS],
  [anthropicStream<unknown>, MESSAGE_EVENTS, 'claude-sonnet-5-5', MESSAGE_TOKENS],
])('a stream passes its chunks on and is recorded once', async (wrap, chunks, model, tokens) => {
  const client = recorder();
  const passed: unknown[] = [];
  for await (const chunk of wrap(streamed<unknown>(chunks), client, ACME)) {
    passed.push(chunk);
  }
  expect(passed.every((chunk, index) => chunk === chunks[index])).toBe(true);
  expect(passed).toHaveLength(chunks.length);
  expect(client.calls).toHaveLength(1);
  expect(tokensOf(client.calls[0] ?? [], model)).toEqual(tokens);
  expect(client.calls[0]?.[0]?.metadata).not.toHaveProperty('partial');
});

test.each(['leaves', 'loses the connection'])(
  'a consumer that %s leaves what is known',
  async (how) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const client = recorder();
    const failure = how === 'leaves' ? undefined : new Error('lost');
    async function first(stream: AsyncIterable<unknown>) {
      for await (const _chunk of stream) {
        if (failure === undefined) {
          break;
        }
      }
    }
    const streams = [
      anthropicStream(streamed(MESSAGE_EVENTS, failure), client, ACME),
      openaiStream(streamed(CHUNKS, failure), client, ACME),
    ];
    for (const stream of streams) {
      const reading = first(stream);
      await (failure === undefined ? reading : expect(reading).rejects.toThrow('lost'));
    }
    expect(client.calls).toHaveLength(1);
    expect(tokensOf(client.calls[0] ?? [], 'claude-sonnet-5-5')).toEqual(KNOWN_TOKENS);
    expect(client.calls[0]?.every(({ metadata }) => metadata?.partial === true)).toBe(true);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('no tokens are recorded for acme'));
  },
);

test('the streams of the SDKs themselves', async () => {
  const client = recorder();
  const answering = (body: string) => async () =>
    new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  const chat = `${CHUNKS.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`;
  const openai = new OpenAI({ apiKey: 'x', fetch: answering(chat) });
  const chunks = await openai.chat.completions.create({
    model: 'gpt-4.1',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of openaiStream(chunks, client, ACME)) {
    expect(chunk.model).toBe('gpt-4.1');
  }
  const said = MESSAGE_EVENTS.map(
    (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  );
  const anthropic = new Anthropic({ apiKey: 'x', fetch: answering(said.join('')) });
  const events = await anthropic.messages.create({
    model: 'claude-sonnet-5-5',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
  });
  for await (const event of anthropicStream(events, client, ACME)) {
    expect(event.type).not.toBe('');
  }
  expect(tokensOf(client.calls[0] ?? [], 'gpt-4.1')).toEqual(CHAT_TOKENS);
  expect(tokensOf(client.calls[1] ?? [], 'claude-sonnet-5-5')).toEqual(MESSAGE_TOKENS);
});
