/** `metergraph dev` with everything: PostgreSQL, Redis, API and worker, in a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const REPOSITORY = dirname(dirname(dirname(import.meta.dirname)));
const PROGRAM = join(REPOSITORY, '.venv', 'bin', 'metergraph');

export class Server {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #port = 0;
  /** The demo organization's, which may do everything. */
  token = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'metergraph-e2e-'));
    // The embedded servers run as another user where we are root.
    chmodSync(folder, 0o711);
    const server = new Server(folder);
    try {
      await server.run();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get #environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('METERGRAPH_'));
    return {
      ...Object.fromEntries(own),
      METERGRAPH_DATA_DIR: join(this.#folder, '.metergraph'),
      METERGRAPH_LOG_LEVEL: 'warning',
    };
  }

  /** Starts it; the second time on the same port and data. */
  async run(): Promise<void> {
    const started = spawn(PROGRAM, ['dev', '--port', String(this.#port)], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = started;
    process.once('exit', () => started.kill());
    let said = '';
    for await (const line of createInterface({ input: started.stdout })) {
      said += `${line}\n`;
      if (line.includes('Ctrl-C')) {
        break;
      }
    }
    started.stdout.resume();
    const [, port] = said.match(/http:\/\/127\.0\.0\.1:(\d+)\/graphql/) ?? [];
    const [token] = said.match(/mg_[\w-]+/) ?? [];
    if (port === undefined || token === undefined) {
      throw new Error(`metergraph dev did not start:\n${said}`);
    }
    this.#port = Number(port);
    this.token = token;
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGTERM');
      await ended;
    }
  }

  /** Stops it and deletes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs the command line beside the server; returns what it printed. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(PROGRAM, words, { env: this.#environment });
    return stdout.trim();
  }

  /** The secret of a new token that may do everything in an organization. */
  async newToken(slug: string): Promise<string> {
    const said = await this.command(
      ...['token', 'create', '--organization', slug, '--name', 'tests', '--scope', 'ADMIN'],
    );
    const [token] = said.match(/mg_[\w-]+/) ?? [];
    if (token === undefined) {
      throw new Error(`No token was created: ${said}`);
    }
    return token;
  }
}
