import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { LlamaCppModule } from '../../src/adapters/inference/llama-cpp-module.js';
import type { ServerKind } from './require-server.js';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('./engines/', import.meta.url));

/** node-llama-cpp, from where the tests install it, and the folder of the models. */
export interface LlamaCppHere {
  readonly load: () => Promise<LlamaCppModule>;
  readonly models: string;
}

export const llamaCpp: ServerKind<LlamaCppHere> = {
  name: 'llama-cpp',
  instructions: 'test/servers/engines/fetch-packages.sh && test/servers/engines/fetch-models.sh',
  async prepare() {
    const [packages, models] = [await script('fetch-packages.sh'), await script('fetch-models.sh')];
    const path = pathToFileURL(join(packages, 'node_modules/node-llama-cpp/dist/index.js')).href;
    return { models, load: async () => (await import(path)) as LlamaCppModule }; // its documented form
  },
};

/** The runtimes of ONNX models, as addresses that a thread can import, and the folder of a model. */
export interface OnnxHere {
  readonly runtimes: { readonly node: string; readonly web: string };
  readonly folder: string;
}

export const onnx: ServerKind<OnnxHere> = {
  name: 'onnx',
  instructions: 'test/servers/engines/fetch-packages.sh && test/servers/engines/fetch-models.sh',
  async prepare() {
    const [packages, models] = [await script('fetch-packages.sh'), await script('fetch-models.sh')];
    const at = (path: string) => pathToFileURL(join(packages, 'node_modules', path)).href;
    return {
      runtimes: { node: at('onnxruntime-node/dist/index.js'), web: at('onnxruntime-web/dist/ort.node.min.mjs') },
      folder: join(models, 'minilm-onnx'),
    };
  },
};

/** Runs a script that makes something once, and resolves with the path that it prints last. */
async function script(name: string): Promise<string> {
  const { stdout } = await run(join(SCRIPTS, name), [], { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
  const path = stdout.trim().split('\n').at(-1);
  if (path === undefined || path === '') throw new Error(`${name} printed no path`);
  return path;
}
