/**
 * What the committed build was made of, as one SHA-256 that needs no Node to compute again.
 *
 * Of every source, in the order of the paths' bytes, one line as `sha256sum` prints it, with the path
 * from the repository's root: "<64 hex digits>  <path>\n". The digest is the SHA-256 of these lines.
 * The sources are schema.graphql and the files below web/, but for what `IGNORED` names.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';

const IGNORED = [
  'web/node_modules/**',
  'web/src/api/generated/**',
  'web/src/gallery/**',
  'web/e2e/**',
  'web/**/*.test.{ts,tsx}',
  'web/**/*.md',
  'web/biome.json',
  'web/**/.*',
];

/** @param {string} repository */
export function sourcesDigest(repository) {
  const paths = globSync(['web/**', 'schema.graphql'], { cwd: repository, ignore: IGNORED });
  const lines = paths
    .sort()
    .map((path) => `${sha256(readFileSync(join(repository, path)))}  ${path}\n`);
  return sha256(lines.join(''));
}

/** @param {string | Uint8Array} content */
export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}
