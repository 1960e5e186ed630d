/**
 * Events of what language models used: one for each model and kind of token, for a meter that sums
 * `tokens` with the dimensions `model` and `kind`.
 */
import type { Event } from '../events.js';
import { AnthropicStreamUsage, OpenAIStreamUsage, type StreamUsage } from './streamUsage.js';
import {
  type AnthropicUsage,
  anthropicTokens,
  type OpenAIUsage,
  openaiTokens,
  tokenEvents,
} from './usage.js';

export type { AnthropicUsage, Kind, OpenAIUsage } from './usage.js';

/** What takes the events of a stream: a client. */
export interface Recorder {
  record(events: Iterable<Event>): void;
}

/**
 * Events of a chat completion, a response or embeddings of OpenAI's SDK.
 *
 * The template has the events' name, customer and further metadata. With an external id, each
 * event's id is that, a colon and its kind.
 */
export function openaiEvents(
  response: { model: string; usage?: OpenAIUsage | null },
  template: Event,
): Event[] {
  const { model, usage } = response;
  return usage ? tokenEvents(openaiTokens(model, usage), template) : noneKnown(model);
}

/** Events of a message of Anthropic's SDK. */
export function anthropicEvents(
  message: { model: string; usage: AnthropicUsage },
  template: Event,
): Event[] {
  return tokenEvents(anthropicTokens(message.model, message.usage), template);
}

/**
 * Passes on a stream of OpenAI's SDK, and records its usage when it ends.
 *
 * A chat completion says its usage in its last chunk, and only with
 * `stream_options: { include_usage: true }`. If the consumer stops before, a warning is logged.
 */
export function openaiStream<T>(
  stream: AsyncIterable<T>,
  client: Recorder,
  template: Event,
): AsyncGenerator<T, void, void> {
  return recorded(stream, new OpenAIStreamUsage(), client, template);
}

/**
 * Passes on a stream of Anthropic's SDK, and records its usage when it ends.
 *
 * If the consumer stops before, the events have the tokens so far, and `partial` in their metadata.
 */
export function anthropicStream<T>(
  stream: AsyncIterable<T>,
  client: Recorder,
  template: Event,
): AsyncGenerator<T, void, void> {
  return recorded(stream, new AnthropicStreamUsage(), client, template);
}

/** Records once: after the last chunk, when the stream fails, or when the consumer stops. */
async function* recorded<T>(
  stream: AsyncIterable<T>,
  usage: StreamUsage,
  client: Recorder,
  template: Event,
): AsyncGenerator<T, void, void> {
  try {
    for await (const chunk of stream) {
      usage.see(chunk);
      yield chunk;
    }
  } finally {
    const tokens = usage.tokens();
    const metadata = usage.isComplete ? template.metadata : { ...template.metadata, partial: true };
    if (tokens === undefined) {
      const customer = template.externalCustomerId ?? template.customerId;
      warn(`A stream ended before it said its usage; no tokens are recorded for ${customer}.`);
    } else {
      client.record(tokenEvents(tokens, metadata ? { ...template, metadata } : template));
    }
  }
}

function noneKnown(model: string): Event[] {
  warn(`A response of ${model} has no usage; no tokens are recorded.`);
  return [];
}

function warn(message: string): void {
  // biome-ignore lint/suspicious/noConsole: what is lost is said
  console.warn(message);
}
