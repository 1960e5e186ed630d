/** What the chunks of a stream say about its usage. Reads chunks, and keeps none. */
import {
  type AnthropicUsage,
  anthropicTokens,
  type OpenAIUsage,
  openaiTokens,
  type Tokens,
} from './usage.js';

export interface StreamUsage {
  see(chunk: unknown): void;
  /** Whether the final numbers were seen. */
  readonly isComplete: boolean;
  /** What is known so far, if anything. */
  tokens(): Tokens | undefined;
}

interface OpenAIChunk {
  model?: string;
  usage?: OpenAIUsage | null;
}

/**
 * Chat completions have their usage in the last chunk if they were asked to include it, and the
 * responses API in the event that ends the stream.
 */
export class OpenAIStreamUsage implements StreamUsage {
  #model = '';
  #usage: OpenAIUsage | undefined;

  see(chunk: unknown): void {
    const { response, ...itself } = chunk as OpenAIChunk & { response?: OpenAIChunk };
    const { model, usage } = response ?? itself;
    if (usage) {
      this.#model = model ?? '';
      this.#usage = usage;
    }
  }

  get isComplete(): boolean {
    return this.#usage !== undefined;
  }

  tokens(): Tokens | undefined {
    return this.#usage && openaiTokens(this.#model, this.#usage);
  }
}

interface AnthropicChunk {
  type?: string;
  message?: { model: string; usage: AnthropicUsage };
  usage?: AnthropicUsage;
}

/** The first event has the prompt's tokens, later ones those of the answer so far. */
export class AnthropicStreamUsage implements StreamUsage {
  #model = '';
  #usage: AnthropicUsage | undefined;
  isComplete = false;

  see(chunk: unknown): void {
    const { type, message, usage } = chunk as AnthropicChunk;
    if (type === 'message_start' && message !== undefined) {
      this.#model = message.model;
      this.#note(message.usage);
    } else if (type === 'message_delta') {
      this.#note(usage ?? {});
    } else if (type === 'message_stop') {
      this.isComplete = true;
    }
  }

  tokens(): Tokens | undefined {
    return this.#usage && anthropicTokens(this.#model, this.#usage);
  }

  /** The numbers are cumulative; those that an event leaves out stay. */
  #note(usage: AnthropicUsage): void {
    const said = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(said) };
  }
}
