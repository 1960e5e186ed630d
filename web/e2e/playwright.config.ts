import { defineConfig } from '@playwright/test';
import { browserPath } from './harness/browser';

/** Run by `make web-test`. The machine may be slow, so deadlines are generous; nothing is tried twice. */
export default defineConfig({
  testDir: '.',
  globalSetup: './harness/start.ts',
  outputDir: 'results',
  forbidOnly: true,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
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
