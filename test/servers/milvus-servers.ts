import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { freePort, type StartedServer, startServer } from './process.js';
import { installCommands, installPythonServer, type PythonServer } from './python.js';
import type { ServerKind } from './require-server.js';

/** A real Milvus, with its data in a temporary folder. */
export interface MilvusServer {
  readonly uri: string;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const LITE: PythonServer = { name: 'milvus-lite', packages: ['milvus-lite==3.2.2', 'pymilvus==3.0.2'] };
const STANDALONE: PythonServer = { name: 'milvus-2.3.5', packages: ['milvus==2.3.5'] };
/** Milvus 2.3.5 fills its data folder and elects itself first: half a minute, two on a busy machine. */
const READY_LIMIT_MS = 240_000;

/** Milvus Lite on a free port of the loopback. */
export const milvusLite: ServerKind<() => Promise<MilvusServer>> = {
  name: 'milvus',
  instructions: installCommands(LITE),
  async prepare() {
    const bin = await installPythonServer(LITE);
    return async () => {
      const port = await freePort();
      return startMilvus(port, (data) => [
        join(bin, 'milvus-lite'),
        'server',
        '--data-dir',
        data,
        '--host',
        '127.0.0.1',
        '--port',
        `${port}`,
      ]);
    };
  },
};

/**
 * The C++ server, Milvus 2.3.5. It binds its ports on every interface, whatever it is told, so the test process that starts it is
 * one that `runIsolated` started, in a network namespace that has the loopback only.
 */
export const milvusStandalone: ServerKind<(access?: Access) => Promise<MilvusServer>> = {
  name: 'milvus',
  instructions: `${installCommands(STANDALONE)} (and, for the network namespace: Linux, root, util-linux, iproute2)`,
  async prepare() {
    const bin = await installPythonServer(STANDALONE);
    execFileSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'pipe' });
    return (access) => {
      if (!isIsolated()) throw new Error('Milvus 2.3.5 listens on every interface: start it in a network namespace');
      const command = [join(bin, 'milvus-server'), '--proxy-port', '29530', ...(access ? settingsOf(access) : [])];
      return startMilvus(29_530, (data) => [...command, '--data', data], access);
    };
  },
};

/** TLS and a password. */
export interface Access {
  /** `user:password` */
  readonly token: string;
  /** Files in PEM form. A client takes the certificate for its own authority: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names it. */
  readonly certificate: string;
  readonly key: string;
}

/** A certificate of the loopback's own, in a folder. */
export function makeCertificate(folder: string): Pick<Access, 'certificate' | 'key'> {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate, ...names];
  execFileSync('openssl', request, { stdio: 'pipe' });
  return { certificate, key };
}

function settingsOf({ certificate, key }: Access): readonly string[] {
  const tls = ['--tls-mode', '1', '--server-pem-path', certificate, '--server-key-path', key];
  return ['--authorization-enabled', 'true', ...tls];
}

/** True where there is no network but the loopback. */
export function isIsolated(): boolean {
  return Object.keys(networkInterfaces()).every((name) => name === 'lo');
}

/** Runs a test file in a network namespace of its own; resolves with its exit status and all that it printed. */
export function runIsolated(
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly output: string }> {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.servers.config.ts', file];
  // Its wrapper takes another port where the one it is told has connections in TIME_WAIT, as after a kill: none are kept.
  const prepare = 'ip link set lo up && echo 0 > /proc/sys/net/ipv4/tcp_max_tw_buckets && exec "$@"';
  const child = spawn('unshare', ['-n', 'sh', '-c', prepare, 'sh', process.execPath, ...vitest], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let output = '';
  const keep = (text: Buffer) => {
    output += text.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

/** A client of the test's own, for what the store doesn't do. */
export async function openClient(uri: string, token?: string): Promise<MilvusClient> {
  const { MilvusClient, logger } = await import('@zilliz/milvus2-sdk-node');
  logger.silent = true;
  const client = new MilvusClient({
    address: uri,
    ...(token === undefined ? {} : { token }),
    timeout: 5000,
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

async function startMilvus(
  port: number,
  commandFor: (data: string) => readonly string[],
  access?: Access,
): Promise<MilvusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-milvus-'));
  const [command = '', ...args] = commandFor(join(folder, 'data'));
  let running: StartedServer | undefined;
  const server: MilvusServer = {
    uri: access ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    async kill() {
      if (running === undefined) return;
      // What the wrapper started holds the data: it goes first, or it is orphaned and the next start hangs.
      for (const pid of descendants(running.pid)) killQuietly(pid);
      await running.kill();
      running = undefined;
    },
    async start() {
      running = await startServer({
        command,
        args,
        port,
        isReady: () => isHealthy(server.uri, access?.token),
        timeoutMs: READY_LIMIT_MS,
      });
    },
    async stop() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
  await server.start();
  return server;
}

async function isHealthy(uri: string, token: string | undefined): Promise<boolean> {
  const client = await openClient(uri, token);
  try {
    return (await client.checkHealth()).isHealthy;
  } finally {
    await client.closeConnection();
  }
}

function descendants(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [...descendants(child), child]);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
