import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, gql, subscriptionExchange } from '@urql/core';
import { buildSchema, isAbstractType, isObjectType } from 'graphql';
import { expect, test, vi } from 'vitest';
import { EMBEDDED, objectCache, POSSIBLE_TYPES } from './cache';

const schema = buildSchema(
  readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'),
);
const ROOTS = ['Query', 'Mutation', 'Subscription'];

test('every type without an id is embedded, and no other', () => {
  const found = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__') && !ROOTS.includes(name))
    // Answers of mutations are read where they come, and not kept.
    .filter(
      ({ name }) => !name.endsWith('Payload') && !['UserError', 'EventReceipt'].includes(name),
    )
    .filter((type) => !('id' in type.getFields()))
    .map(({ name }) => name);
  expect(found.sort()).toEqual([...EMBEDDED]);
});

test('abstract types can be what the schema says', () => {
  const found = Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter(isAbstractType)
      .filter(({ name }) => name !== 'Node')
      .map((type) => [
        type.name,
        schema
          .getPossibleTypes(type)
          .map(({ name }) => name)
          .sort(),
      ]),
  );
  expect(found).toEqual(POSSIBLE_TYPES);
});

test('events that have passed are not kept', async () => {
  let pass: ((data: object) => void) | undefined;
  const client = new Client({
    url: 'http://localhost',
    preferGetMethod: false,
    exchanges: [
      objectCache(),
      subscriptionExchange({
        forwardSubscription: () => ({
          subscribe(sink) {
            pass = (data) => sink.next({ data });
            return { unsubscribe() {} };
          },
        }),
      }),
    ],
  });
  const followed = gql`
    subscription Followed {
      eventsFollowed { event { id metadata customer { id } } cursor }
    }
  `;
  let seen = 0;
  client.subscription(followed, {}).subscribe(({ data }) => {
    seen += data?.eventsFollowed.event.metadata.units === 1 ? 1 : 0;
  });
  await vi.waitUntil(() => pass);
  const passed = Array.from({ length: 500 }, (_none, nth) => {
    // The cache keeps a JSON value as the object that it is.
    const metadata = { units: 1 };
    pass?.({
      eventsFollowed: {
        __typename: 'EventUpdate',
        cursor: String(nth),
        event: {
          __typename: 'Event',
          id: String(nth),
          metadata,
          customer: { __typename: 'Customer', id: 'customer' },
        },
      },
    });
    return new WeakRef(metadata);
  });
  expect(seen).toBe(500);
  // What a WeakRef names is kept until the current task ends.
  await new Promise(setImmediate);
  collectGarbage();
  expect(passed.filter((each) => each.deref() !== undefined).length).toBeLessThan(10);
});

function collectGarbage() {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
