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

/**
 * The first number of a JSON text that a browser would not send on as it is written, or null.
 *
 * A binary float keeps fifteen digits.
 */
export function inexactNumber(text: string): string | null {
  const bare = text.replace(new RegExp(STRING.source, 'gu'), '""');
  const numbers = bare.match(/-?\d[\d.eE+-]*/g) ?? [];
  return (
    numbers.find((number) => String(Number(number)) !== number && digitsOf(number) > 15) ?? null
  );
}

/** How many digits of a number count. */
function digitsOf(number: string): number {
  const [mantissa = ''] = number.split(/[eE]/);
  return mantissa.replace(/\D/g, '').replace(/^0+/, '').length;
}
