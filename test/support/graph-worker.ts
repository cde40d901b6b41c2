import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The script of the thread that builds graphs, from the sources as they are; under node_modules, from where the kernel is found. */
export function useGraphWorker(): { readonly script: string } {
  const folder = join(ROOT, 'node_modules/.cache/hotrag-test', randomUUID());
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, 'src/adapters/stores/memory/vectors/build-worker.ts')],
      outdir: folder,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { script: join(folder, 'build-worker.js') };
}
