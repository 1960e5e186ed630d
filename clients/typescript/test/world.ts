/** What the tests use: an organization of their own, and a proxy that fails as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject, onTestFinished } from 'vitest';
import { type Event, Metergraph, type Options, type Rejection } from '../src/index.js';

export const server = inject('server');

export async function control(path: string): Promise<Record<string, string>> {
  const response = await fetch(`${server.control}/${path}`, { method: 'POST' });
  return (await response.json()) as Record<string, string>;
}

/** A token that may do everything in a new organization. */
export async function newToken(): Promise<string> {
  return (await control('organization')).token ?? '';
}

export interface Told {
  rejections: Rejection[];
  undelivered: Event[];
  reasons: string[];
}

/** A client that is closed after the test, and what it has told. */
export function client(options: Partial<Options> & { token: string }) {
  const told: Told = { rejections: [], undelivered: [], reasons: [] };
  const made = new Metergraph({
    url: server.url,
    lingerMs: 5,
    onRejected: (rejections) => told.rejections.push(...rejections),
    onUndelivered: (events, reason) => {
      told.undelivered.push(...events);
      told.reasons.push(reason);
    },
    ...options,
  });
  onTestFinished(async () => {
    await made.close(0).catch(() => undefined);
  });
  return { metergraph: made, told };
}

/** The external ids of all stored events, sorted: one that is stored twice is there twice. */
export async function stored(token: string): Promise<string[]> {
  const asking = new Metergraph({ url: server.url, token });
  const found: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { events }: EventPage = await asking.execute(EVENTS, { after });
    found.push(...events.nodes.map(({ externalId }) => externalId));
    if (!events.pageInfo.hasNextPage) {
      return found.sort();
    }
    after = events.pageInfo.endCursor;
  }
}

const EVENTS = `query Events($after: String) {
  events(first: 100, after: $after) {
    nodes { externalId } pageInfo { hasNextPage endCursor }
  }
}`;

interface EventPage {
  events: {
    nodes: { externalId: string }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  };
}

/** Waits until something is so. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await sleep(10);
  }
}

export type Fault = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Proxy {
  url: string;
  bodies: string[];
  /** What the next requests meet, in turn. */
  planned: Fault[];
  /** What the others meet, if anything. */
  always: ((body: string) => Fault | undefined) | undefined;
  /** Ends all connections. */
  cut(): void;
}

export async function proxy(): Promise<Proxy> {
  const running = createServer(async (request, response) => {
    const body = await bodyOf(request);
    state.bodies.push(body);
    const fault = state.planned.shift() ?? state.always?.(body) ?? passOn;
    fault(request, response, body);
  });
  running.listen(0, '127.0.0.1');
  await once(running, 'listening');
  const { port } = running.address() as AddressInfo;
  const state: Proxy = {
    url: `http://127.0.0.1:${port}`,
    bodies: [],
    planned: [],
    always: undefined,
    cut: () => running.closeAllConnections(),
  };
  onTestFinished(() => {
    running.closeAllConnections();
    running.close();
  });
  return state;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

async function upstream(request: IncomingMessage, body: string): Promise<Response> {
  const { authorization = '', accept = '' } = request.headers;
  const headers = { authorization, accept, 'content-type': 'application/json' };
  return fetch(`${server.url}${request.url}`, { method: 'POST', headers, body });
}

export const passOn: Fault = async (request, response, body) => {
  try {
    const answer = await upstream(request, body);
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
    });
    for await (const part of answer.body ?? []) {
      response.write(part);
    }
    response.end();
  } catch {
    response.destroy();
  }
};

/** An answer that is not the server's. */
export function answer(
  status: number,
  body = '<html>',
  headers: Record<string, string> = {},
): Fault {
  return (_request, response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** An error as the API gives it. */
export function apiError(
  status: number,
  code: string,
  extensions: Record<string, unknown> = {},
): Fault {
  const errors = [{ message: `It is ${code}.`, extensions: { code, ...extensions } }];
  const headers = { 'content-type': 'application/graphql-response+json' };
  return answer(status, JSON.stringify({ errors }), headers);
}

/** The server does it, and the connection breaks before it says so. */
export const loseTheAnswer: Fault = async (request, response, body) => {
  await (await upstream(request, body)).text();
  response.destroy();
};

/** The server does it, and nothing more is heard of it. */
export const fallSilent: Fault = async (request, _response, body) => {
  await (await upstream(request, body)).text();
};
