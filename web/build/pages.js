/**
 * Finishes a build: checks what each page loads, and writes build.json.
 *
 * Files have stable names and lie in assets/. The pages ask for them at assets/<version>/, where the
 * version is a hash of their contents, so that the server can let browsers keep them for ever.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256, sourcesDigest } from './sources.js';

/** What a first visit may load, in bytes after gzip. */
const BUDGETS = { dashboard: 250_000, portal: 120_000 };

const LAYERS = '@layer reset,tokens,base,components,pages;';

/** Modules that a page must not load, however indirectly. */
const FORBIDDEN = {
  portal: ['/src/dashboard/', '/react-aria', '/@react-aria/', '/@tanstack/', '/graphiql/'],
  dashboard: ['/src/portal/', '/graphiql/'],
};

/**
 * @param {{ repository: string, target: string }} options
 * @returns {import('vite').Plugin}
 */
export function finishedPages({ repository, target }) {
  /** @type {Record<string, { gzip: number, files: string[] }>} */
  const firstLoads = {};
  return {
    name: 'finished-pages',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        // Whichever file comes first, the order of the layers is the same.
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          file.source = LAYERS + String(file.source);
        }
      }
    },
    writeBundle(_options, bundle) {
      checkNames(Object.keys(bundle));
      for (const page of ['dashboard', 'graphiql', 'portal']) {
        const load = firstLoadOf(page, bundle);
        checkModules(page, load.modules);
        firstLoads[page] = { gzip: gzipped(load.files, target), files: load.files };
      }
    },
    closeBundle() {
      const assets = readdirSync(join(target, 'assets')).sort();
      const listed = assets.map(
        (name) => `${sha256(readFileSync(join(target, 'assets', name)))}  ${name}\n`,
      );
      const version = sha256(listed.join('')).slice(0, 16);
      for (const page of Object.keys(firstLoads)) {
        const path = join(target, `${page}.html`);
        const html = readFileSync(path, 'utf8');
        writeFileSync(path, html.replaceAll('"./assets/', `"assets/${version}/`));
      }
      const build = { sources: sourcesDigest(repository), version, firstLoads };
      writeFileSync(join(target, 'build.json'), `${JSON.stringify(build, null, 2)}\n`);
      for (const [page, { gzip }] of Object.entries(firstLoads)) {
        this.info(`${page}: first load ${(gzip / 1000).toFixed(1)} kB gzip`);
      }
      for (const [page, budget] of Object.entries(BUDGETS)) {
        const gzip = firstLoads[page]?.gzip ?? 0;
        if (gzip > budget) {
          this.error(
            `The first load of ${page} is ${gzip} bytes after gzip; ${budget} are allowed`,
          );
        }
      }
    },
  };
}

/** @param {string[]} names */
function checkNames(names) {
  // A second file of a name gets a number, which would change as files come and go.
  const numbered = names.filter((name) => /\D[2-9]\.(js|css)$/.test(name));
  if (numbered.length > 0) {
    throw new Error(`Give these a name of their own: ${numbered.join(', ')}`);
  }
}

/** @param {string} page @param {string[]} modules */
function checkModules(page, modules) {
  const forbidden = FORBIDDEN[/** @type {keyof typeof FORBIDDEN} */ (page)] ?? [];
  const found = modules.find((id) => forbidden.some((part) => id.includes(part)));
  if (found !== undefined) {
    throw new Error(`The first load of ${page} must not have ${found}`);
  }
}

/**
 * @param {string} page
 * @param {import('vite').Rolldown.OutputBundle} bundle
 */
function firstLoadOf(page, bundle) {
  /** @type {Set<string>} */
  const files = new Set([`${page}.html`]);
  /** @type {string[]} */
  const modules = [];
  /** @param {string} name */
  function add(name) {
    const chunk = bundle[name];
    if (files.has(name) || chunk === undefined || chunk.type !== 'chunk') {
      return;
    }
    files.add(name);
    modules.push(...Object.keys(chunk.modules));
    for (const style of chunk.viteMetadata?.importedCss ?? []) {
      files.add(style);
    }
    chunk.imports.forEach(add);
  }
  add(`assets/${page}.js`);
  return { files: [...files].sort(), modules };
}

/** @param {string[]} files @param {string} target */
function gzipped(files, target) {
  return files
    .map((name) => gzipSync(readFileSync(join(target, name)), { level: 9 }).length)
    .reduce((sum, size) => sum + size, 0);
}
