import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { browserPath } from './harness/browser';

// Workers read this file too, and have other ids.
process.env.METERGRAPH_E2E_RESULTS ??= join('results', String(process.pid));
const results = process.env.METERGRAPH_E2E_RESULTS;

/** Run by `make web-test`. The machine may be slow, so deadlines are generous. Nothing is tried twice. */
export default defineConfig({
  testDir: '.',
  globalSetup: './harness/start.ts',
  // Each run has its own, also side by side.
  outputDir: results,
  forbidOnly: true,
  workers: 2,
  fullyParallel: true,
  timeout: 900_000,
  expect: { timeout: 120_000 },
  reporter: [['list']],
  use: {
    actionTimeout: 120_000,
    navigationTimeout: 120_000,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    // Recording takes time.
    trace: process.env.TRACE === 'yes' ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: browserPath(),
      // Chromium's own sandbox does not work for root.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
