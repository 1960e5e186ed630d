// Writes the hash of the built files into the page, as metergraph/asgi/pages.py computes it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const PAGES = new URL('../metergraph/pages/', import.meta.url);
const ASSETS = new URL('assets/', PAGES);

const sha256 = (content) => createHash('sha256').update(content).digest('hex');
const lines = readdirSync(ASSETS)
  .sort()
  .map((name) => `${sha256(readFileSync(new URL(name, ASSETS)))}  ${name}\n`);
const version = sha256(lines.join('')).slice(0, 16);
const page = new URL('graphiql.html', PAGES);
const html = readFileSync(page, 'utf8');
writeFileSync(page, html.replace(/"assets\/[0-9a-f]+\//g, `"assets/${version}/`));
