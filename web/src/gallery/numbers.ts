/** What is as long as it may be. */
export const FORTY = '1234567890123456789012345678901234567891';
export const LONG = 'An organization whose name was written by a lawyer '.repeat(4);
