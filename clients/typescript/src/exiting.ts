/** The end of a Node.js process. Elsewhere, these do nothing. */

interface Process {
  on(event: 'beforeExit' | 'exit', listener: () => void): void;
  off(event: 'beforeExit' | 'exit', listener: () => void): void;
}

/**
 * Calls `deliver` when the process would end because it has nothing more to do, and `giveUp` when
 * it ends. Returns what takes that back.
 */
export function atEnd(deliver: () => Promise<void>, giveUp: () => void): () => void {
  const process = (globalThis as { process?: Partial<Process> }).process;
  if (typeof process?.on !== 'function' || typeof process.off !== 'function') {
    return () => undefined;
  }
  const { on, off } = { on: process.on.bind(process), off: process.off.bind(process) };
  const beforeExit = () => void deliver();
  on('beforeExit', beforeExit);
  on('exit', giveUp);
  return () => {
    off('beforeExit', beforeExit);
    off('exit', giveUp);
  };
}
