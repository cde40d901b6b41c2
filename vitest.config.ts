import { defineConfig } from 'vitest/config';

/** The hermetic tests: nothing but what `npm ci` brought. */
export default defineConfig({
  test: {
    // The kernel that the embedded store needs, if it isn't there or is older than its source.
    globalSetup: 'scripts/kernel.mjs',
    include: ['test/**/*.test.ts'],
    exclude: ['test/servers/**', 'node_modules/**'],
    testTimeout: 30_000,
    typecheck: { enabled: false },
  },
});
