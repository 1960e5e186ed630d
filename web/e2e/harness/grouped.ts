/** Usage by dimension: a meter of tokens by model and kind, and calls of many models. */
import { randomBytes } from 'node:crypto';
import { expect } from '@playwright/test';
import type { Api } from './api';

export interface GroupedMeter {
  id: string;
  name: string;
  /** The name of the events that it counts. */
  event: string;
}

export interface Call {
  model?: string | null;
  kind?: string;
  tokens: number;
}

/** A model without a name, a very long one, and more models than are drawn by themselves. */
const CALLS: Call[] = [
  { tokens: 900, kind: 'output' },
  {
    model: 'a-model-whose-name-is-much-longer-than-anything-else-on-its-page-2026-11',
    tokens: 800,
  },
  ...Array.from({ length: 13 }, (_call, nth) => ({
    model: `model-${nth}`,
    kind: nth % 2 === 0 ? 'input' : 'output',
    tokens: 700 - 50 * nth,
  })),
];

/** With the calls of a customer counted. */
export async function makeGroupedMeter(api: Api, customer: string): Promise<GroupedMeter> {
  const meter = await makeTokenMeter(api, ['model', 'kind']);
  await sendCalls(api, meter, customer, CALLS);
  await counted(api, meter, CALLS.length);
  return meter;
}

export async function makeTokenMeter(
  api: Api,
  dimensions: readonly string[],
): Promise<GroupedMeter> {
  const mark = randomBytes(4).toString('hex');
  const event = `call_${mark}`;
  const { meterCreate } = await api.ask(
    `mutation Meter($name: String!, $event: ClauseValue!, $dimensions: [String!]!) {
      meterCreate(input: {
        name: $name, unit: "token", dimensions: $dimensions
        aggregation: { function: SUM, property: "tokens" }
        filter: { clauses: [{ clause: { property: "name", operator: EQUALS, value: $event } }] }
      }) { meter { id name } userErrors { message path } }
    }`,
    { name: `Tokens ${mark}`, event, dimensions },
  );
  return { ...meterCreate.meter, event };
}

export async function sendCalls(
  api: Api,
  { event }: GroupedMeter,
  customer: string,
  calls: readonly Call[],
): Promise<void> {
  await api.ask(
    `mutation Send($events: [EventInput!]!) {
      eventsIngest(input: { events: $events }) { inserted userErrors { message path } }
    }`,
    {
      events: calls.map((metadata) => ({ name: event, externalCustomerId: customer, metadata })),
    },
  );
}

/** Waits until the meter has counted so many events, also by its dimensions. */
export async function counted(api: Api, { id }: GroupedMeter, events: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const { meter } = await api.ask(
          `query Counted($id: ID!) { meter(id: $id) { progress {
            countedEvents pendingEvents dimensionsPendingEvents
          } } }`,
          { id },
        );
        return meter.progress;
      },
      { timeout: 120_000 },
    )
    .toEqual({ countedEvents: events, pendingEvents: 0, dimensionsPendingEvents: 0 });
}
