import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, type StartedServer, startServer } from './process.js';
import type { ServerKind } from './require-server.js';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('./engines/', import.meta.url));
/** Compiling takes 5 minutes on two idle cores, and several times that on busy ones. */
const BUILD_MS = 3_600_000;

export const LLAMA_KEY = 'llama-key';

/** What a llama-server does: one process has one role. */
export type LlamaRole = 'chat' | 'embeddings' | 'rerank';

export interface StartedLlamaServer extends StartedServer {
  /** Up to and including /v1. */
  readonly url: string;
  /** How many of its places are busy, as it says itself. */
  busy(): Promise<number>;
}

export interface LlamaServers {
  start(role: LlamaRole, options?: { readonly context?: number; readonly port?: number }): Promise<StartedLlamaServer>;
}

/** llama.cpp's server, compiled from its sources once, with small models. One thread: more of them wait for each other on busy machines. */
export const llamaServer: ServerKind<LlamaServers> = {
  name: 'llama-server',
  instructions: 'test/servers/engines/build-llama-server.sh && test/servers/engines/fetch-models.sh',
  async prepare() {
    const [program, models] = [await script('build-llama-server.sh'), await script('fetch-models.sh')];
    const roles: Record<LlamaRole, readonly string[]> = {
      chat: ['-m', `${models}/smollm2.gguf`, '-np', '1', '-a', 'smollm2', '--metrics', '--slots'],
      embeddings: ['-m', `${models}/minilm.gguf`, '--embedding', '--pooling', 'mean', '-a', 'minilm'],
      rerank: ['-m', `${models}/rank-stub.gguf`, '--reranking', '-a', 'rank-stub'],
    };
    return {
      async start(role, { context, port: wanted } = {}) {
        const port = wanted ?? (await freePort());
        const root = `http://127.0.0.1:${port}`;
        const headers = { authorization: `Bearer ${LLAMA_KEY}` };
        const size = role === 'chat' ? ['-c', String(context ?? 2048)] : [];
        const args = ['--host', '127.0.0.1', '--port', String(port), '-t', '1', '-tb', '1', '--api-key', LLAMA_KEY];
        const server = await startServer({
          command: program,
          args: [...args, ...size, ...roles[role]],
          port,
          isReady: async () => (await fetch(`${root}/health`)).ok,
          timeoutMs: 120_000,
        });
        return {
          ...server,
          url: `${root}/v1`,
          async busy() {
            const slots = (await (await fetch(`${root}/slots`, { headers })).json()) as { is_processing: boolean }[]; // its documented form
            return slots.filter(({ is_processing: isBusy }) => isBusy).length;
          },
        };
      },
    };
  },
};

export interface StartedOllama extends StartedServer {
  readonly url: string;
  /** What it has written to its log. */
  log(): string;
}

/** Starts an Ollama that has `smollm2` (chat) and `minilm` (embeddings). */
export type StartOllama = () => Promise<StartedOllama>;

/** Ollama, compiled from its Go module once, with the same models. */
export const ollama: ServerKind<StartOllama> = {
  name: 'ollama',
  instructions: 'test/servers/engines/build-ollama.sh && test/servers/engines/fetch-models.sh',
  async prepare() {
    const [program, models] = [await script('build-ollama.sh'), await script('fetch-models.sh')];
    return async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hotrag-ollama-'));
      const port = await freePort();
      const environment = {
        OLLAMA_HOST: `127.0.0.1:${port}`,
        OLLAMA_MODELS: join(folder, 'models'),
        OLLAMA_NUM_PARALLEL: '1',
        OLLAMA_DEBUG: '1',
        HOME: folder,
      };
      let log = '';
      const server = await startServer({
        command: program,
        args: ['serve'],
        port,
        environment,
        isReady: async () => (await fetch(`http://127.0.0.1:${port}/api/version`)).ok,
        onOutput: (text) => {
          log += text;
        },
      });
      const end = (how: () => Promise<void>) => async () => {
        await how();
        await rm(folder, { recursive: true, force: true });
      };
      try {
        for (const [name, lines] of Object.entries(MODELFILES)) {
          const file = join(folder, `Modelfile-${name}`);
          await writeFile(file, [`FROM ${models}/${name}.gguf`, ...lines, ''].join('\n'));
          await run(program, ['create', name, '-f', file], { env: { ...process.env, ...environment }, timeout: 120_000 });
        }
      } catch (error) {
        await end(server.kill)();
        throw error;
      }
      return { ...server, url: `http://127.0.0.1:${port}`, log: () => log, stop: end(server.stop), kill: end(server.kill) };
    };
  },
};

const MODELFILES: Readonly<Record<string, readonly string[]>> = {
  smollm2: [
    'TEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"""',
    'PARAMETER stop <|im_end|>',
    'PARAMETER num_ctx 2048',
    'PARAMETER num_thread 1',
  ],
  minilm: ['PARAMETER num_thread 1'],
};

/** Runs a script that makes something once, and resolves with the path that it prints last. */
async function script(name: string): Promise<string> {
  const { stdout } = await run(join(SCRIPTS, name), [], { timeout: BUILD_MS, maxBuffer: 64 * 1024 * 1024 });
  const path = stdout.trim().split('\n').at(-1);
  if (path === undefined || path === '') throw new Error(`${name} printed no path`);
  return path;
}
