import { defineConfig } from 'vitest/config';

/** The hermetic tests: nothing but what `npm ci` brought. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/servers/**', 'node_modules/**'],
    testTimeout: 30_000,
    typecheck: { enabled: false },
  },
});
