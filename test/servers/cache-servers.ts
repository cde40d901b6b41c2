import { execFileSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { freePort, type StartedServer, startServer } from './process.js';
import type { ServerKind } from './require-server.js';

export interface CacheServerOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  readonly args?: readonly string[] | undefined;
}
export type StartCacheServer = (options?: CacheServerOptions) => Promise<StartedServer>;

export const redis: ServerKind<StartCacheServer> = {
  name: 'redis',
  instructions: 'apt-get install redis-server',
  async prepare() {
    execFileSync('redis-server', ['--version']);
    return async ({ port, args = [] } = {}) => {
      const own = port ?? (await freePort());
      const base = ['--port', String(own), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      // Without the password it answers too: that it wants one.
      const isReady = () => answers(own, 'PING\r\n', /PONG|NOAUTH/);
      return startServer({ command: 'redis-server', args: [...base, ...args], port: own, isReady });
    };
  },
};

export const memcached: ServerKind<StartCacheServer> = {
  name: 'memcached',
  instructions: 'apt-get install memcached',
  async prepare() {
    execFileSync('memcached', ['--version']);
    return async ({ port, args = [] } = {}) => {
      const own = port ?? (await freePort());
      const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
      const isReady = () => answers(own, 'version\r\n', /VERSION/);
      const base = [...user, '-l', '127.0.0.1', '-p', String(own), '-U', '0', '-m', '64'];
      return startServer({ command: 'memcached', args: [...base, ...args], port: own, isReady });
    };
  },
};

/** Whether a server answers a line as it should. */
function answers(port: number, line: string, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(line));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(expected.test(data.toString())));
    socket.once('error', () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}
