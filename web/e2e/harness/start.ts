/** Starts one server for all tests, with an organization for each worker; stops it after the last test. */
import { setTimeout } from 'node:timers/promises';
import type { FullConfig } from '@playwright/test';
import { Api } from './api';
import { command, newOrganization, Server } from './server';

/** What tests need to know of it; they run in processes of their own. */
export interface Started {
  url: string;
  folder: string;
  /** By organization, the secret of a token that may do everything in it. */
  tokens: Record<string, string>;
}

const VARIABLE = 'METERGRAPH_E2E_STARTED';

export function started(): Started {
  const text = process.env[VARIABLE];
  if (text === undefined) {
    throw new Error('No server is running. Run the browser tests with make web-test.');
  }
  return JSON.parse(text) as Started;
}

/** The organization that the tests of a worker have to themselves. */
export function organizationOf(worker: number): string {
  return `tests-${worker}`;
}

export default async function start({ workers }: FullConfig): Promise<() => Promise<void>> {
  const server = await Server.start({ history: true });
  try {
    const { url, folder, token } = server;
    const names = [
      'empty',
      'stranger',
      ...Array.from({ length: workers }, (_, n) => organizationOf(n)),
    ];
    const tokens = await Promise.all(
      names.map(async (name) => [name, await newOrganization(folder, name)] as const),
    );
    // Waits for the history of the demo organization, which is made in the background.
    await command(folder, ['demo', '--duration', '1', '--rate', '100', '--seed', '1']);
    await everythingCounted(new Api(url, token));
    const known: Started = { url, folder, tokens: { ...Object.fromEntries(tokens), demo: token } };
    process.env[VARIABLE] = JSON.stringify(known);
  } catch (error) {
    await server.remove();
    throw error;
  }
  return () => server.remove();
}

/** Waits until nothing moves in the demo organization any more, because tests look at it. */
async function everythingCounted(demo: Api): Promise<void> {
  for (;;) {
    const { meters } = await demo.ask('{ meters { nodes { progress { pendingEvents } } } }');
    const waiting = (meters.nodes as { progress: { pendingEvents: number } }[]).some(
      ({ progress }) => progress.pendingEvents > 0,
    );
    if (!waiting) {
      return;
    }
    await setTimeout(100);
  }
}
