/** The browser that scripts/web-test found. */
export function browserPath(): string {
  const path = process.env.CHROMIUM;
  if (!path) {
    throw new Error('Run the browser tests with make web-test.');
  }
  return path;
}
