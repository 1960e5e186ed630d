import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/server.ts',
    fileParallelism: false, // they share the server, which one of them kills
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
