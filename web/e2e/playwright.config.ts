import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { browserPath } from './harness/browser';

// Workers read this file too, and have other ids.
process.env.METERGRAPH_E2E_RESULTS ??= join('results', String(process.pid));
const results = process.env.METERGRAPH_E2E_RESULTS;

/** Run by `make web-test`. The machine may be slow, so deadlines are generous; nothing is tried twice. */
export default defineConfig({
  testDir: '.',
  globalSetup: './harness/start.ts',
  // Each run has its own, also side by side.
  outputDir: results,
  forbidOnly: true,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: browserPath(),
      // Chromium's own sandbox does not work for root.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
