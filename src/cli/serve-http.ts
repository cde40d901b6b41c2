import { once } from 'node:events';
import type { PlainConfig } from '../sdk/config.js';
import type { TokenRule } from '../server/access.js';
import type { RagServer } from '../server/server.js';

export interface ServeOverHttpOptions {
  readonly config: PlainConfig['server'];
  /** Over the configured address. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Besides the configured ones. */
  readonly tokens: readonly string[];
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Serves over HTTP until the signal, then lets answers under way finish. The transport is imported here, so that stdio starts without it.
 * @throws RagError CONFIG_INVALID
 */
export async function serveOverHttp(
  server: RagServer,
  { config, tokens, log, signal, ...given }: ServeOverHttpOptions,
): Promise<void> {
  const { serveHttp } = await import('../server/protocol/http.js');
  const { requestsPerSecond, concurrent, bodyBytes, graceMs, hosts, origins, sessions } = config;
  const service = await serveHttp(server, {
    host: given.host ?? config.host,
    port: given.port ?? config.port,
    tokens: [...tokens.map((token) => ({ token })), ...configuredTokens(config)],
    limits: { requestsPerSecond, concurrent, bodyBytes },
    hosts,
    origins,
    sessions,
  });
  log(`listening on ${service.url} (Streamable HTTP at /mcp, SSE at /sse)`);
  if (!signal.aborted) await once(signal, 'abort');
  log('stopping: answers under way are finished first');
  await service.close({ graceMs });
}

function configuredTokens({ token, tokens = [] }: PlainConfig['server']): readonly TokenRule[] {
  const rules = tokens.map((rule) => (typeof rule === 'string' ? { token: rule } : rule));
  return token === undefined ? rules : [{ token }, ...rules];
}
