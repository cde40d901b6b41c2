import { defineConfig } from 'vitest/config';

/** The same contract suites against real servers; test/servers/ fetches and starts them. */
export default defineConfig({
  test: {
    include: ['test/servers/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    // Servers of others, on machines that are shared: one stalls now and then. What fails twice is a failure.
    retry: 1,
  },
});
