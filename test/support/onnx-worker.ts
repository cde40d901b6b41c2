import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The script of the thread that runs ONNX models, built from the sources as they are: a thread of Node runs no TypeScript. */
export function useOnnxWorker(): { readonly script: string } {
  const folder = join(ROOT, 'node_modules/.cache/hotrag-test', randomUUID());
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, 'src/adapters/embedders/onnx-worker.ts')],
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
  return { script: join(folder, 'onnx-worker.js') };
}
