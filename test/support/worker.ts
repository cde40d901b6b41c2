import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * A thread's script built from the sources as they are, for the tests of one file: a thread of Node runs no TypeScript, and what stands
 * in dist/ may be older. It lies under node_modules, from where packages and the kernel are found.
 * @param source below src/
 */
export function useWorker(source: string): { readonly script: string } {
  const folder = join(ROOT, 'node_modules/.cache/hotrag-test', randomUUID());
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, 'src', source)],
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
  return { script: join(folder, basename(source).replace(/\.ts$/, '.js')) };
}
