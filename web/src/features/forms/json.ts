/** JSON that a person writes, with the place of what is wrong. */

export interface JsonProblem {
  /** From 0, in characters. */
  at: number;
  /** From 1. */
  line: number;
  column: number;
}

/** Where a text stops being JSON; null where all of it is. */
export function jsonProblem(text: string): JsonProblem | null {
  const at = firstWrong(text);
  if (at === null) {
    return null;
  }
  const before = text.slice(0, at).split('\n');
  return { at, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

const SPACE = /[ \t\n\r]*/y;
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;

class Wrong extends Error {
  constructor(readonly at: number) {
    super('not JSON');
  }
}

function firstWrong(text: string): number | null {
  let at = 0;

  function skip(pattern: RegExp): boolean {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) {
      return false;
    }
    at += found[0].length;
    return true;
  }
  function take(sign: string): boolean {
    skip(SPACE);
    if (text[at] !== sign) {
      return false;
    }
    at += 1;
    return true;
  }
  function need(isThere: boolean) {
    if (!isThere) {
      throw new Wrong(at);
    }
  }
  function value() {
    skip(SPACE);
    if (take('{')) {
      items('}', () => {
        skip(SPACE);
        need(skip(STRING));
        need(take(':'));
        value();
      });
    } else if (take('[')) {
      items(']', value);
    } else {
      need(skip(STRING) || skip(WORD));
    }
  }
  function items(end: string, item: () => void) {
    if (take(end)) {
      return;
    }
    do {
      item();
    } while (take(','));
    need(take(end));
  }

  try {
    value();
    skip(SPACE);
    need(at === text.length);
    return null;
  } catch (error) {
    if (error instanceof Wrong) {
      return error.at;
    }
    throw error;
  }
}

interface Source {
  source?: string;
}
type Raw = { rawJSON?: (source: string) => unknown };

export type Parsed = { value: unknown } | { inexact: string };

/**
 * Reads JSON whose numbers are sent on exactly as they are written.
 *
 * Browsers that cannot do so refuse a number that they would change.
 */
export function readExactly(text: string): Parsed {
  const { rawJSON } = JSON as Raw;
  let inexact: string | null = null;
  const reviver = (_key: string, value: unknown, { source }: Source = {}) => {
    if (typeof value !== 'number' || source === undefined || String(value) === source) {
      return value;
    }
    if (rawJSON !== undefined) {
      return rawJSON(source);
    }
    inexact ??= source;
    return value;
  };
  const value: unknown = JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  return inexact === null ? { value } : { inexact };
}
