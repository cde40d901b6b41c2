import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf, RagError } from '../../core/errors.js';
import type { Rag } from '../../core/types.js';
import { readInstructions } from '../../server/instructions.js';
import { serveStdio } from '../../server/protocol/stdio.js';
import { createServer } from '../../server/server.js';
import { openAuditLog } from '../audit-log.js';
import { defineCommand } from '../command.js';
import { createIndexing } from '../indexing.js';
import { serveOverHttp } from '../serve-http.js';
import { packageVersion } from '../version.js';

/** Clients ask for the tools right after the handshake: importing the engine at once would keep them waiting. */
const AFTER_HANDSHAKE_MS = 50;
/** Without a handshake, folders are indexed all the same. */
const WITHOUT_HANDSHAKE_MS = 1_000;

/** `hotrag serve`: MCP on stdio or HTTP. On stdio, handshake and tool list are answered before the engine is imported. */
export const command = defineCommand({
  usage: '[folder…]',
  takes: { least: 0, most: Number.POSITIVE_INFINITY },
  flags: {
    transport: { kind: 'text', choices: ['stdio', 'http'], describe: 'How clients connect. Default: stdio.' },
    watch: { kind: 'switch', describe: 'Keep the collection in step with the folders.' },
    warm: { kind: 'switch', describe: 'Load the language model at the start, so that the first answer doesn’t wait for it.' },
    host: { kind: 'text', describe: 'Address to listen on; another than this machine’s own needs a token. Default: 127.0.0.1.' },
    port: { kind: 'number', describe: 'Port to listen on; 0 takes any that is free. Default: 7411.' },
    token: {
      kind: 'list',
      describe: 'Token that clients must show; may be repeated. Other users can see it here: better HOTRAG_SERVER_TOKEN.',
    },
  },
  examples: [
    'hotrag serve ~/notes',
    'hotrag serve ~/notes ~/papers --collection reading',
    'hotrag serve --root ~/projects',
    'hotrag serve ~/notes --watch',
    'hotrag serve ~/notes --transport http --port 7411',
  ],
  async run({ host, flags, positionals, settings, openRag }) {
    const overHttp = flags.transport === 'http';
    refuseHttpFlags(overHttp, flags);
    const folders = positionals.map((folder) => existingFolder(resolve(host.cwd, folder)));
    const log = (message: string) => host.stderr.write(`hotrag: ${message}\n`);
    const config = settings.plain === undefined || overHttp ? await settings.check() : undefined;
    const audited = config?.server.audit === undefined ? undefined : await openAuditLog(config.server.audit);
    const engine = createEngineHolder(openRag);
    if (flags.watch && folders.length === 0)
      throw new RagError('INPUT_INVALID', '--watch: names no folder; serve the folders to watch');
    const indexing = createIndexing(folders, {
      log,
      watch: flags.watch,
      changed: (collection) => server.changes.publish({ collection, documents: [] }),
    });
    const ending = new AbortController();
    let work = Promise.resolve();
    let begun = false;
    const begin = () => {
      begun = true;
      work = engine
        .open()
        .then(async (rag) => {
          await Promise.all([indexing.run(rag, ending.signal), flags.warm ? warm(rag, ending.signal, log) : undefined]);
        })
        .catch((error: unknown) => log(`the engine can't be opened: ${messageOf(error)}`));
    };
    let timer = setTimeout(begin, overHttp ? 0 : WITHOUT_HANDSHAKE_MS);

    const server = createServer(engine.open, {
      version: packageVersion(),
      roots: [...folders, ...settings.roots],
      logger: { warn: log, error: log },
      status: indexing.status,
      audit: audited?.audit,
      instructions({ collections }) {
        clearTimeout(timer);
        if (!begun) timer = setTimeout(begin, AFTER_HANDSHAKE_MS);
        return readInstructions(join(settings.storePath, 'summary.json'), collections);
      },
    });
    try {
      if (config !== undefined && overHttp) {
        const { port, token: tokens = [] } = flags;
        await serveOverHttp(server, { config: config.server, host: flags.host, port, tokens, log, signal: host.signal });
      } else await serveStdio(server, { signal: host.signal });
    } finally {
      clearTimeout(timer);
      ending.abort(new Error('the server is ending'));
      await work;
      await engine.close();
    }
    return host.signal.reason === 'SIGINT' ? 130 : 0;
  },
});

/** A model that can't be loaded is told when an answer needs it, too; searches don't. */
async function warm(rag: Rag, signal: AbortSignal, log: (message: string) => void): Promise<void> {
  try {
    await rag.warm({ signal });
    log('the language model is loaded');
  } catch (error) {
    if (!signal.aborted) log(`the language model can't be loaded: ${messageOf(error)}`);
  }
}

/** What is set for HTTP and then not served would look as if it held. */
function refuseHttpFlags(overHttp: boolean, flags: Readonly<Record<'host' | 'port' | 'token', unknown>>): void {
  const given = (['host', 'port', 'token'] as const).find((name) => flags[name] !== undefined);
  if (!overHttp && given !== undefined)
    throw new RagError('INPUT_INVALID', `--${given}: is for --transport http, which isn't given`);
}

/** A folder that isn't there is told at the start, where somebody reads it, not by an index that stays empty. */
function existingFolder(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw new RagError('NOT_FOUND', `${folder}: there is no such folder`);
  if (!found.isDirectory()) throw new RagError('INPUT_INVALID', `${folder}: is not a folder; serve takes folders`);
  return folder;
}

interface EngineHolder {
  /** One opening for all; a failed one is tried again at the next call. */
  readonly open: () => Promise<Rag>;
  readonly close: () => Promise<void>;
}

function createEngineHolder(openRag: () => Promise<Rag>): EngineHolder {
  let opening: Promise<Rag> | undefined;
  return {
    open() {
      opening ??= openRag().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async close() {
      const rag = await opening?.catch(() => undefined); // a failed opening was told to whoever asked for it
      await rag?.close();
    },
  };
}
