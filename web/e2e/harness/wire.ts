/** Between browser and server: connections through it can be cut and silenced. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Wire {
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isOpen = true;
  #port = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((browser) => this.#join(browser));
  }

  static async start(target: number): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    const address = wire.#server.address();
    wire.#port = typeof address === 'object' && address !== null ? address.port : 0;
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Closes every connection, and new ones at once, until `restore`. */
  cut(): void {
    this.#isOpen = false;
    for (const [browser, server] of this.#pairs) {
      browser.destroy();
      server.destroy();
    }
  }

  /** Nothing passes any more over the connections there are, and nobody is told. */
  silence(): void {
    for (const [browser, server] of this.#pairs) {
      browser.unpipe().pause();
      server.unpipe().pause();
    }
  }

  restore(): void {
    this.#isOpen = true;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(browser: Socket): void {
    if (!this.#isOpen) {
      browser.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    const pair = [browser, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      // That it ended is the news; why does not matter.
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        browser.destroy();
        server.destroy();
      });
    }
    browser.pipe(server).pipe(browser);
  }
}
