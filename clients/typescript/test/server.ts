/** Starts one real server for all tests: PostgreSQL, Redis, the API and a worker. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');

export interface Started {
  url: string;
  control: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    server: Started;
  }
}

export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const python = join(REPOSITORY, '.venv', 'bin', 'python');
  const running = spawn(python, ['-m', 'tests.clients.serving'], {
    cwd: REPOSITORY,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  for await (const line of createInterface({ input: running.stdout })) {
    project.provide('server', JSON.parse(line) as Started);
    return async () => {
      running.stdin.end();
      await ended;
    };
  }
  throw new Error('The server did not start.');
}
