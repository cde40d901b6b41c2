import { setTimeout as wait } from 'node:timers/promises';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { RagError } from '../../../core/errors.js';
import { abortable } from '../../../core/flow.js';
import { createCalls } from '../remote/calls.js';
import { addressOf } from './address.js';
import { isUnsent, MilvusFailure, statusOf, translateMilvus } from './errors.js';
import type { MilvusOptions } from './options.js';
import { type MilvusVersion, readVersion } from './version.js';

/** The one way to the server: connects at the first call, checks the status of every answer, translates every error. */
export interface MilvusConnection {
  readonly host: string;
  /**
   * Runs one call of the client. `action` says what it does, for messages.
   * @throws RagError CONNECTION_FAILED · TIMEOUT · UNAUTHORIZED · NOT_FOUND · UNSUPPORTED · UPSTREAM_FAILED · the signal's reason
   */
  call<Answer>(action: string, run: (client: MilvusClient) => Promise<Answer>, signal?: AbortSignal): Promise<Answer>;
  /** As `call`, for work whose length depends on the data. @default no longer than 10 minutes */
  longCall<Answer>(action: string, run: (client: MilvusClient) => Promise<Answer>, signal?: AbortSignal): Promise<Answer>;
  version(signal?: AbortSignal): Promise<MilvusVersion>;
  close(): Promise<void>;
}

/** The limit of `longCall`; the client has a limit of its own, which such a call must be given too. */
export const LONG_CALL_MS = 600_000;

/** A client that found its server down looks for it again so much later at most, ms, give or take a fifth. */
const MOST_BACKOFF_MS = 200;
/** By then it has looked again. */
const LOOKED_AGAIN_MS = 300;

/** Nothing is imported or opened before the first call. */
export function createConnection(options: MilvusOptions): MilvusConnection {
  const { host } = addressOf(options);
  const translate = translateMilvus(host);
  const rules = { adapter: 'milvus', address: host, timeoutMs: options.timeoutMs, translate };
  const short = createCalls(rules);
  const long = createCalls({ ...rules, timeoutMs: Math.max(LONG_CALL_MS, options.timeoutMs) });
  let connected: Promise<MilvusClient> | undefined;
  let version: Promise<MilvusVersion> | undefined;
  let closed = false;

  const client = () => {
    if (closed)
      throw new RagError('CONNECTION_FAILED', `the store on Milvus at ${host} is closed`, {
        adapter: 'milvus',
        retryable: false,
      });
    connected ??= connect(options).catch((error: unknown) => {
      connected = undefined; // the next call tries again
      throw error;
    });
    return connected;
  };
  /** A call that met a client between two looks for its server is made again after the next one: a server that is back is found at once. */
  const checked = async <Answer>(run: (client: MilvusClient) => Promise<Answer>, signal: AbortSignal | undefined) => {
    const milvus = await client();
    try {
      return checkStatus(await run(milvus));
    } catch (error) {
      if (!isUnsent(error)) throw error;
      await wait(LOOKED_AGAIN_MS);
      signal?.throwIfAborted();
      return checkStatus(await run(milvus));
    }
  };
  const call: MilvusConnection['call'] = (action, run, signal) => short(action, () => checked(run, signal), signal);

  return {
    host,
    call,
    longCall: (action, run, signal) => long(action, () => checked(run, signal), signal),
    version(signal) {
      version ??= call('ask for its version', (milvus) => milvus.getVersion())
        .then(({ version: text }) => readVersion(text))
        .catch((error: unknown) => {
          version = undefined;
          throw error;
        });
      return abortable(version, signal);
    },
    async close() {
      closed = true;
      const open = await connected?.catch(() => undefined);
      await open?.closeConnection();
    },
  };
}

/** Errors come back as answers: nothing but a status that says Success is one. A call that the server lacks has no status at all. */
function checkStatus<Answer>(answer: Answer): Answer {
  const status = statusOf(answer);
  if (status === undefined)
    throw new RagError('UNSUPPORTED', 'this Milvus server does not know a call that hotrag makes', { adapter: 'milvus' });
  // Lite says Success with a code where its own Python failed.
  if (status.error_code !== 'Success' || status.code !== 0) throw new MilvusFailure(status);
  return answer;
}

async function connect(options: MilvusOptions): Promise<MilvusClient> {
  const { host, tls } = addressOf(options);
  const { MilvusClient, logger } = await import('@zilliz/milvus2-sdk-node');
  // It logs to stdout, which belongs to the protocol when hotrag serves on it.
  logger.silent = true;
  const client = new MilvusClient({
    address: host,
    ssl: tls,
    timeout: options.timeoutMs,
    // A retry has the whole time limit again; and `retryable` tells the caller.
    maxRetries: 0,
    telemetry: { enabled: false },
    channelOptions: {
      // Servers take the client's own 10 s pings for an attack and close the connection; our time limits notice a dead one.
      'grpc.keepalive_time_ms': -1,
      'grpc.keepalive_permit_without_calls': 0,
      // By default a client that found its server down tries again ever more seldom, up to every two minutes.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': MOST_BACKOFF_MS,
    },
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.database === undefined ? {} : { database: options.database }),
  });
  try {
    await client.connectPromise;
    return client;
  } catch (error) {
    await client.closeConnection();
    throw error;
  }
}
