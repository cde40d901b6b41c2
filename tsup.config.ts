import { defineConfig } from 'tsup';

/**
 * Two builds into one dist: the bin is bundled with the protocol library and zod, because that is what makes `tools/list`
 * come soon after spawn; the library leaves every dependency external.
 */
export default defineConfig([
  {
    entry: { 'sdk/index': 'src/sdk/index.ts', 'server/index': 'src/server/index.ts', 'adapters/index': 'src/adapters/index.ts' },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    dts: true,
    splitting: true,
    clean: false,
    sourcemap: false,
  },
  {
    entry: { 'cli/main': 'src/cli/main.ts' },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    dts: false,
    splitting: true,
    clean: false,
    noExternal: [/^@modelcontextprotocol\//, 'zod'],
    outDir: 'dist',
  },
  {
    // Scripts of threads, found by `workerPath`.
    entry: {
      'workers/loaders': 'src/adapters/loaders/worker.ts',
      'workers/onnx': 'src/adapters/embedders/onnx-worker.ts',
      'workers/graph': 'src/adapters/stores/memory/vectors/build-worker.ts',
    },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    dts: false,
    splitting: true,
    clean: false,
    outDir: 'dist',
  },
]);
