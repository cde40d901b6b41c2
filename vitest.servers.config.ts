import { defineConfig } from 'vitest/config';

/** The same contract suites against real servers; test/servers/ fetches and starts them. */
export default defineConfig({
  test: {
    // The kernel that the embedded store needs, if it isn't there or is older than its source.
    globalSetup: 'scripts/kernel.mjs',
    include: ['test/servers/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
