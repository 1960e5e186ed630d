/** Starts the server for all tests, and stops it after the last, whatever came of them. */
import { Server } from './server';

export const URL_VARIABLE = 'METERGRAPH_E2E_URL';
export const TOKEN_VARIABLE = 'METERGRAPH_E2E_TOKEN';
export const STRANGER_VARIABLE = 'METERGRAPH_E2E_STRANGER';

/** What the start left for the tests, which run in processes of their own. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set; run the tests with harness/start.ts`);
  }
  return value;
}

export default async function start(): Promise<() => Promise<void>> {
  const server = await Server.start();
  try {
    await server.command('demo', '--duration', '1', '--rate', '100', '--seed', '1');
    await server.command('organization', 'create', 'Strangers', '--slug', 'strangers');
    process.env[STRANGER_VARIABLE] = await server.newToken('strangers');
  } catch (error) {
    await server.remove();
    throw error;
  }
  process.env[URL_VARIABLE] = server.url;
  process.env[TOKEN_VARIABLE] = server.token;
  return () => server.remove();
}
