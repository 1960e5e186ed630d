/** Where in a form what the API refuses is shown. */

export interface UserError {
  code: string;
  message: string;
  path: readonly string[];
}

export interface Placed {
  /** The name of a field, or null where no field shows it. */
  field: string | null;
  message: string;
}

/**
 * Finds the field that each error is about: the one its path names, or the closest one around it.
 *
 * A field gets one message, the first.
 */
export function placed(errors: readonly UserError[], has: (field: string) => boolean): Placed[] {
  const taken = new Set<string>();
  return errors.flatMap(({ path, message, code }) => {
    const field = fieldAt(path, has);
    if (field !== null && taken.has(field)) {
      return [];
    }
    if (field !== null) {
      taken.add(field);
    }
    return [{ field, message: code === 'CONFLICT' && isKey(path) ? SENT_BEFORE : message }];
  });
}

const SENT_BEFORE =
  'An earlier try was carried out, though its answer was lost, and you have changed the form since. ' +
  'Close the form, look at what was made, and change that.';

function isKey(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === 'idempotencyKey';
}

function fieldAt(path: readonly string[], has: (field: string) => boolean): string | null {
  for (let length = path.length; length > 0; length -= 1) {
    const field = path.slice(0, length).join('.');
    if (has(field)) {
      return field;
    }
  }
  return null;
}

const UNREADABLE = /^Variable '\$input' has invalid value at ([\w.[\]]+): (.+)$/s;

/** What the API says of a value that its scalar cannot read: where it stands, and what it should be. */
export function unreadable(message: string): UserError | null {
  const [, at, what] = UNREADABLE.exec(message) ?? [];
  if (at === undefined || what === undefined) {
    return null;
  }
  const path = at.split(/[.[\]]+/).filter((step) => step !== '');
  return { code: 'INVALID', message: what, path };
}
