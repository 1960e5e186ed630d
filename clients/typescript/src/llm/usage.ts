/**
 * Which tokens a language model's response used, by kind. Does no I/O, and imports no SDK.
 *
 * The kinds do not overlap, so their sum is the total. What the SDKs report does overlap: OpenAI's
 * prompt tokens include cached ones, and output tokens of both include those of reasoning.
 */
import type { Event } from '../events.js';

export type Kind =
  /** Tokens of the prompt that no other kind has. */
  | 'input'
  /** Tokens of the prompt that were read from a cache. */
  | 'cached_input'
  /** Tokens of the prompt that were written to a cache. */
  | 'cache_write'
  /** The same, to Anthropic's cache of one hour. */
  | 'cache_write_1h'
  /** Tokens of the answer, without those of reasoning. */
  | 'output'
  /** Tokens of the answer that the model thought with. */
  | 'reasoning';

type Count = number | null | undefined;

/** The usage of a chat completion, of the responses API, or of embeddings of OpenAI's SDK. */
export interface OpenAIUsage {
  prompt_tokens?: number;
  completion_tokens?: number;
  prompt_tokens_details?: OpenAIInputDetails | null;
  completion_tokens_details?: { reasoning_tokens?: Count } | null;
  input_tokens?: number;
  output_tokens?: number;
  input_tokens_details?: OpenAIInputDetails | null;
  output_tokens_details?: { reasoning_tokens?: Count } | null;
}

interface OpenAIInputDetails {
  cached_tokens?: Count;
  cache_write_tokens?: Count;
}

/** The usage of a message of Anthropic's SDK, or what an event of its stream says of it. */
export interface AnthropicUsage {
  input_tokens?: Count;
  output_tokens?: Count;
  output_tokens_details?: { thinking_tokens?: Count } | null;
  cache_read_input_tokens?: Count;
  cache_creation_input_tokens?: Count;
  cache_creation?: { ephemeral_1h_input_tokens?: Count } | null;
}

/** How many tokens of each kind a model used; kinds without tokens are left out. */
export interface Tokens {
  model: string;
  byKind: Partial<Record<Kind, number>>;
}

export function openaiTokens(model: string, usage: OpenAIUsage): Tokens {
  const total = usage.prompt_tokens ?? usage.input_tokens ?? 0;
  const out = usage.completion_tokens ?? usage.output_tokens ?? 0;
  const read = usage.prompt_tokens_details ?? usage.input_tokens_details;
  const written = usage.completion_tokens_details ?? usage.output_tokens_details;
  const cached = Math.min(read?.cached_tokens ?? 0, total);
  const cacheWrite = Math.min(read?.cache_write_tokens ?? 0, total - cached);
  const reasoning = Math.min(written?.reasoning_tokens ?? 0, out);
  return tokens(model, {
    input: total - cached - cacheWrite,
    cached_input: cached,
    cache_write: cacheWrite,
    output: out - reasoning,
    reasoning,
  });
}

export function anthropicTokens(model: string, usage: AnthropicUsage): Tokens {
  const out = usage.output_tokens ?? 0;
  const reasoning = Math.min(usage.output_tokens_details?.thinking_tokens ?? 0, out);
  const cacheWrite = usage.cache_creation_input_tokens ?? 0;
  const hour = Math.min(usage.cache_creation?.ephemeral_1h_input_tokens ?? 0, cacheWrite);
  return tokens(model, {
    input: usage.input_tokens ?? 0,
    cached_input: usage.cache_read_input_tokens ?? 0,
    cache_write: cacheWrite - hour,
    cache_write_1h: hour,
    output: out - reasoning,
    reasoning,
  });
}

/** An event for each kind: the template, with model, kind and tokens in its metadata. */
export function tokenEvents({ model, byKind }: Tokens, template: Event): Event[] {
  return Object.entries(byKind).map(([kind, count]) => ({
    ...template,
    ...(template.externalId === undefined ? {} : { externalId: `${template.externalId}:${kind}` }),
    metadata: { ...template.metadata, model, kind, tokens: count },
  }));
}

function tokens(model: string, counts: Record<string, number>): Tokens {
  const used = Object.entries(counts).filter(([, count]) => count > 0);
  return { model, byKind: Object.fromEntries(used) };
}
