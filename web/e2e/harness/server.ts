/** `metergraph dev` with everything: PostgreSQL, Redis, API and worker, in a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const REPOSITORY = dirname(dirname(dirname(import.meta.dirname)));
const PROGRAM = join(REPOSITORY, '.venv', 'bin', 'metergraph');

interface Options {
  /** Fills the demo organization with 90 days, in the background. */
  history: boolean;
}

export class Server {
  /** Where its data is. */
  readonly folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;
  /** The demo organization's, which may do everything. */
  token = '';

  private constructor(folder: string, { history }: Options) {
    this.folder = folder;
    this.#options = history ? [] : ['--no-history'];
  }

  static async start(options: Options): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'metergraph-e2e-'));
    // The embedded servers run as another user where we are root.
    chmodSync(folder, 0o711);
    const server = new Server(folder, options);
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

  /** Starts it; the second time on the same port and data. */
  async run(): Promise<void> {
    const started = spawn(PROGRAM, ['dev', '--port', String(this.#port), ...this.#options], {
      env: environment(this.folder),
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
    if (port === undefined) {
      throw new Error(`metergraph dev did not start:\n${said}`);
    }
    this.#port = Number(port);
    this.token = tokenIn(said);
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
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Makes an organization; returns the secret of a token that may do everything in it. */
export async function newOrganization(folder: string, slug: string): Promise<string> {
  await command(folder, ['organization', 'create', slug, '--slug', slug]);
  const name = ['--organization', slug, '--name', 'tests', '--scope', 'ADMIN'];
  return tokenIn(await command(folder, ['token', 'create', ...name]));
}

/** Runs the command line beside the server in a folder; returns what it printed. */
export async function command(folder: string, words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(PROGRAM, words, { env: environment(folder) });
  return stdout.trim();
}

function environment(folder: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('METERGRAPH_'));
  return {
    ...Object.fromEntries(others),
    METERGRAPH_DATA_DIR: join(folder, '.metergraph'),
    METERGRAPH_LOG_LEVEL: 'warning',
  };
}

function tokenIn(said: string): string {
  const [token] = said.match(/mg_[\w-]+/) ?? [];
  if (token === undefined) {
    throw new Error(`This has no token: ${said}`);
  }
  return token;
}
