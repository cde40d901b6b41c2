import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A server that a test started. */
export interface StartedServer {
  readonly port: number;
  readonly pid: number;
  /** Ends it the polite way and waits; kills it when that takes longer than 10 s. */
  stop(): Promise<void>;
  /** SIGKILL, as when the machine loses power, and waits. */
  kill(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Resolves with true once the server answers. */
  readonly isReady: () => Promise<boolean>;
  /** Called with what it prints. */
  readonly onOutput?: ((text: string) => void) | undefined;
  /** @default 30 s */
  readonly timeoutMs?: number | undefined;
}

/**
 * Starts a server and waits until it answers. It is ended by its own process id, never by name.
 * @throws Error with the end of what it printed, when it ends or stays silent
 */
export async function startServer(server: ServerCommand): Promise<StartedServer> {
  const child = spawn(server.command, server.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...server.environment },
  });
  let output = '';
  const keep = (text: Buffer) => {
    server.onOutput?.(text.toString());
    output = (output + text.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(String(error))));

  const deadline = Date.now() + (server.timeoutMs ?? 30_000);
  while (!(await server.isReady().catch(() => false))) {
    const ended = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (ended || Date.now() > deadline) {
      await end(child, 'SIGKILL');
      throw new Error(`${server.command} did not start${ended ? '' : ' in time'}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port: server.port,
    pid: child.pid ?? 0,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}
