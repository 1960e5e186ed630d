import { describe, expect, test } from 'vitest';
import { type FollowState, follow, type Payload, type Sink, type Socket } from './following';
import type { Problem } from './problems';

interface Update {
  usageUpdated: { cursor: string; value: number };
}

/** A socket whose connections the test opens, feeds and cuts. */
class FakeSocket implements Socket {
  asked: Payload[] = [];
  sinks: Sink<unknown>[] = [];
  closed = 0;

  subscribe<T>(payload: Payload, sink: Sink<T>) {
    this.asked.push(structuredClone(payload));
    this.sinks.push(sink as Sink<unknown>);
    return () => {
      this.closed += 1;
    };
  }

  get last(): Sink<unknown> {
    const sink = this.sinks.at(-1);
    if (sink === undefined) {
      throw new Error('Nobody has subscribed');
    }
    return sink;
  }

  say(cursor: string, value: number) {
    this.last.next({ data: { usageUpdated: { cursor, value } } });
  }
}

function following(variables: Record<string, unknown> = { meterId: 'm' }) {
  const socket = new FakeSocket();
  const values: number[] = [];
  const states: FollowState[] = [];
  const problems: Problem[] = [];
  let restores = 0;
  const waits: { seconds: number; then: () => void; cancelled: boolean }[] = [];
  const stop = follow<Update>({
    socket,
    query: 'subscription',
    variables,
    onData: (data) => values.push(data.usageUpdated.value),
    onState: (state) => states.push(state),
    onRestored: () => {
      restores += 1;
    },
    onEnd: (problem) => problems.push(problem),
    wait: (seconds, then) => {
      const wait = { seconds, then, cancelled: false };
      waits.push(wait);
      return () => {
        wait.cancelled = true;
      };
    },
    random: () => 1,
  });
  const reconnect = () => waits.at(-1)?.then();
  return { socket, values, states, problems, waits, stop, reconnect, restores: () => restores };
}

const CUT = { code: 1006 };

describe('a connection that is lost', () => {
  test('goes on after the last update that was seen', () => {
    const { socket, values, reconnect } = following();
    socket.say('a', 1);
    socket.say('b', 2);
    socket.last.error(CUT);
    reconnect();
    socket.say('c', 3);
    socket.last.error({ code: 1012 });
    reconnect();
    expect(socket.asked.map(({ variables }) => variables)).toEqual([
      { meterId: 'm' },
      { meterId: 'm', after: 'b' },
      { meterId: 'm', after: 'c' },
    ]);
    expect(values).toEqual([1, 2, 3]);
  });

  test('before any update asks for the current state again', () => {
    const { socket, reconnect } = following();
    socket.last.error(CUT);
    reconnect();
    expect(socket.asked.map(({ variables }) => variables)).toEqual([
      { meterId: 'm' },
      { meterId: 'm' },
    ]);
  });

  test('says nothing twice, though it still speaks', () => {
    const { socket, values, reconnect } = following();
    const [old] = socket.sinks;
    socket.say('a', 1);
    socket.last.error(CUT);
    reconnect();
    old?.next({ data: { usageUpdated: { cursor: 'b', value: 2 } } });
    old?.error(CUT);
    old?.complete();
    socket.say('b', 2);
    expect(values).toEqual([1, 2]);
    expect(socket.asked).toHaveLength(2);
  });

  test('repeats no update that the server sends again', () => {
    const { socket, values, reconnect } = following();
    socket.say('a', 1);
    socket.last.error(CUT);
    reconnect();
    socket.say('a', 1);
    socket.say('b', 2);
    expect(values).toEqual([1, 2]);
  });

  test('is tried again later and later, up to half a minute, and soon once it has worked', () => {
    const { socket, waits, reconnect } = following();
    for (let attempt = 0; attempt < 9; attempt++) {
      socket.last.error(CUT);
      reconnect();
    }
    expect(waits.map(({ seconds }) => seconds)).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
    socket.say('a', 1);
    socket.last.error(CUT);
    expect(waits.at(-1)?.seconds).toBe(0.5);
  });

  test('is shown until it works again', () => {
    const { socket, states, reconnect } = following();
    socket.say('a', 1);
    socket.last.error(CUT);
    reconnect();
    socket.say('b', 2);
    expect(states).toEqual(['connecting', 'live', 'waiting', 'connecting', 'live']);
  });

  test('by a server that stops is the same', () => {
    const { socket, waits } = following();
    socket.last.complete();
    expect(waits).toHaveLength(1);
  });
});

describe('whoever stops watching', () => {
  test('closes the subscription and hears no more', () => {
    const { socket, values, waits, stop } = following();
    stop();
    socket.say('a', 1);
    socket.last.error(CUT);
    expect([socket.closed, values, waits]).toEqual([1, [], []]);
  });

  test('while waiting does not connect', () => {
    const { socket, waits, stop } = following();
    socket.last.error(CUT);
    stop();
    expect(waits.at(-1)?.cancelled).toBe(true);
  });
});

describe('what the server refuses', () => {
  test('a session that has ended is the end', () => {
    const { socket, problems, waits } = following();
    socket.last.error({ code: 4403 });
    expect(problems.map(({ kind }) => kind)).toEqual(['signed-out']);
    expect(waits).toEqual([]);
  });

  test('a missing scope is the end, and is named', () => {
    const { socket, problems } = following();
    socket.last.error([{ message: 'This needs USAGE_READ', extensions: { code: 'FORBIDDEN' } }]);
    expect(problems).toMatchObject([{ kind: 'forbidden', advice: 'This needs USAGE_READ' }]);
  });

  test('too many subscriptions wait for as long as it asks', () => {
    const { socket, waits, problems } = following();
    socket.last.error([
      { message: '', extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 7 } },
    ]);
    expect([waits.at(-1)?.seconds, problems]).toEqual([7, []]);
  });

  test('a cursor it does not know begins anew', () => {
    const { socket, reconnect } = following();
    socket.say('a', 1);
    socket.last.next({ errors: [{ message: '', extensions: { code: 'BAD_USER_INPUT' } }] });
    reconnect();
    expect(socket.asked.at(-1)?.variables).toEqual({ meterId: 'm' });
  });

  test('a cursor that a restore has undone begins again, and what is shown is read again', () => {
    const { socket, values, problems, restores, reconnect } = following();
    socket.say('a', 1);
    socket.last.error([{ message: '', extensions: { code: 'CURSOR_EXPIRED' } }]);
    expect(restores()).toBe(1);
    reconnect();
    expect(socket.asked.at(-1)?.variables).toEqual({ meterId: 'm' });
    socket.say('a', 2);
    expect([values, problems, restores()]).toEqual([[1, 2], [], 1]);
  });

  test('a malformed question is the end', () => {
    const { socket, problems } = following();
    socket.last.error([{ message: 'No such field', extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(problems).toMatchObject([{ kind: 'refused', advice: 'No such field' }]);
  });
});
