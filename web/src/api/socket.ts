/** The WebSocket: opened when something is followed, and given up when it falls silent. */
import { type Client, createClient } from 'graphql-ws';
import type { Socket } from './following';
import { type PageName, socketUrl } from './page';

/** How long to wait for a handshake, for its acknowledgement, and for a pong. */
const PATIENCE = 10_000;
const PING_EVERY = 10_000;
/** A page that changes need not connect again. */
const LINGER = 5000;

/** A WebSocket that is closed when its handshake is not answered; browsers wait for minutes. */
class PromptWebSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    const timer = setTimeout(() => this.close(), PATIENCE);
    const stop = () => clearTimeout(timer);
    this.addEventListener('open', stop);
    this.addEventListener('close', stop);
  }
}

export function openSocket(page: PageName): Socket {
  let silence: ReturnType<typeof setTimeout> | undefined;
  const client: Client = createClient({
    url: socketUrl,
    webSocketImpl: PromptWebSocket,
    connectionParams: { client: page },
    connectionAckWaitTimeout: PATIENCE,
    lazy: true,
    lazyCloseTimeout: LINGER,
    keepAlive: PING_EVERY,
    // `follow` connects again, from the last cursor.
    retryAttempts: 0,
    on: {
      ping: (received) => {
        if (!received) {
          silence = setTimeout(() => client.terminate(), PATIENCE);
        }
      },
      pong: (received) => {
        if (received) {
          clearTimeout(silence);
        }
      },
      closed: () => clearTimeout(silence),
    },
  });
  return {
    subscribe: (payload, sink) =>
      // biome-ignore lint/suspicious/noExplicitAny: graphql-ws knows no type of the data
      client.subscribe(payload, sink as any),
  };
}

/** Calls back after some seconds, or as soon as the machine is online again. */
export function waitOrOnline(seconds: number, then: () => void): () => void {
  const timer = setTimeout(go, seconds * 1000);
  window.addEventListener('online', go);
  function stop() {
    clearTimeout(timer);
    window.removeEventListener('online', go);
  }
  function go() {
    stop();
    then();
  }
  return stop;
}
