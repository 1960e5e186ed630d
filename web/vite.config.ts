import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';
import { graphqlDocuments } from './build/documents.js';
import { finishedPages } from './build/pages.js';
import { servedPages } from './build/serving.js';

const WEB = dirname(fileURLToPath(import.meta.url));
const REPOSITORY = dirname(WEB);
const TARGET = join(REPOSITORY, 'metergraph', 'pages');

/** What pages share, by the name of its file. */
const SHARED: [name: string, modules: RegExp][] = [
  ['react', /node_modules\/(react|react-dom|scheduler|use-sync-external-store)\//],
  [
    'aria',
    /node_modules\/(react-aria|react-stately|@react-aria|@react-stately|@internationalized)/,
  ],
  ['router', /node_modules\/@tanstack\//],
  ['api', /node_modules\/(@urql|urql|wonka|graphql-ws|@0no-co)|src\/api\//],
  ['ui', /src\/(ui|format)\/(?!aria\/|chart\/|Dialog|useFocusReturn)/],
  // The portal opens dialogs later.
  ['dialog', /src\/ui\/(Dialog|useFocusReturn)/],
  ['charts', /node_modules\/(d3-|internmap)|src\/ui\/chart\//],
  ['editor', /node_modules\/(codemirror|codemirror-graphql|graphql-language-service)\//],
  [
    'forms',
    /node_modules\/react-hook-form\/|src\/features\/forms\/(?!Confirm|amounts|failures|whole)/,
  ],
  ['statement', /src\/features\/(usage\/|invoices\/(InvoiceLines|Invoice\.module))/],
];

/** The API in development; its proxy signs every request in, where METERGRAPH_TOKEN is set. */
function api(): ProxyOptions {
  const token = process.env.METERGRAPH_TOKEN;
  const target = process.env.METERGRAPH_URL ?? 'http://127.0.0.1:8000';
  return {
    target,
    ws: true,
    // The server compares Origin with Host.
    headers: { origin: target, ...(token && { authorization: `Bearer ${token}` }) },
    changeOrigin: true,
  };
}

const proxy = { '/graphql': api(), '/session': api() };

export default defineConfig({
  base: './',
  plugins: [
    graphqlDocuments({ root: join(WEB, 'src') }),
    react(),
    servedPages(),
    finishedPages({ repository: REPOSITORY, target: TARGET }),
  ],
  appType: 'mpa',
  server: { port: 5173, proxy },
  preview: { port: 4173, proxy },
  css: {
    modules: {
      // Readable, and the same on every machine: the file's name is unique.
      generateScopedName: (name, filename) =>
        `${basename(filename.split('?')[0] ?? '').replace('.module.css', '')}-${name}`,
    },
  },
  build: {
    outDir: TARGET,
    emptyOutDir: true,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      input: ['dashboard', 'portal', 'graphiql'].map((page) => join(WEB, `${page}.html`)),
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
        codeSplitting: { groups: SHARED.map(([name, test]) => ({ name, test })) },
      },
    },
  },
  test: { include: ['src/**/*.test.{ts,tsx}', 'build/**/*.test.ts'], environment: 'node' },
});
