import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STORES = fileURLToPath(new URL('../../.stores/', import.meta.url));
const READY_LIMIT_MS = 60_000;

/** Starts the Chroma that the server tests installed, over a data folder; ended by `stop`. */
export function startChroma(folder) {
  const bin = binOf('chroma');
  const run = 'import sys, chromadb_rust_bindings as b; b.cli(["chroma", *sys.argv[1:]])';
  return start('chroma', (port) => ({
    command: join(bin, 'python'),
    args: ['-c', run, 'run', '--path', folder, '--host', '127.0.0.1', '--port', `${port}`],
    isReady: async (uri) => (await fetch(`${uri}/api/v2/heartbeat`)).ok,
  }));
}

/** Starts the Milvus Lite that the server tests installed, over a data folder; ended by `stop`. */
export function startMilvusLite(folder) {
  const bin = binOf('milvus-lite');
  mkdirSync(folder, { recursive: true });
  return start('milvus-lite', (port) => ({
    command: join(bin, 'milvus-lite'),
    args: ['server', '--data-dir', folder, '--host', '127.0.0.1', '--port', `${port}`],
    async isReady(uri) {
      const client = await openMilvusClient(uri);
      const { isHealthy } = await client.checkHealth();
      await client.closeConnection();
      return isHealthy;
    },
  }));
}

/** A plain client with the transport settings that hotrag's own has, so that only what is done with it differs. */
export async function openMilvusClient(uri) {
  const { MilvusClient, logger } = await import('@zilliz/milvus2-sdk-node');
  logger.silent = true;
  const client = new MilvusClient({
    address: uri.replace('http://', ''),
    maxRetries: 0,
    telemetry: { enabled: false },
    channelOptions: { 'grpc.keepalive_time_ms': -1, 'grpc.keepalive_permit_without_calls': 0 },
  });
  try {
    await client.connectPromise;
    return client;
  } catch (error) {
    await client.closeConnection();
    throw error;
  }
}

function binOf(name) {
  const bin = join(STORES, name, 'bin');
  if (existsSync(bin)) return bin;
  throw new Error(`the server ${name} is not installed: run \`npm run test:servers\` once`);
}

/** The exact versions stand in the name of the file that marks a complete installation. */
function versionOf(name) {
  const mark = readdirSync(join(STORES, name)).find((file) => file.startsWith('installed-'));
  return mark?.replace('installed-', '') ?? `${name}, of unknown version`;
}

async function start(name, commandFor) {
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const { command, args, isReady } = commandFor(port);
  const child = spawn(command, args, { stdio: 'ignore' });
  const deadline = Date.now() + READY_LIMIT_MS;
  while (!(await isReady(uri).catch(() => false))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${versionOf(name)} did not start: ${command} ${args.join(' ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    uri,
    version: versionOf(name),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
