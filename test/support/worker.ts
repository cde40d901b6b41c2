import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * The threads' script built from the sources as they are, for the tests of one file: a thread of Node runs no TypeScript, and what stands
 * in dist/ may be older. It lies under node_modules, from where packages are found.
 */
export function useLoaderWorker(): { readonly script: string } {
  const folder = join(ROOT, 'node_modules/.cache/hotrag-test', randomUUID());
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, 'src/adapters/loaders/worker.ts')],
      outdir: folder,
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { script: join(folder, 'worker.js') };
}
