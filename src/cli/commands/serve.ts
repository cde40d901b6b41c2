import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf, RagError } from '../../core/errors.js';
import type { Rag } from '../../core/types.js';
import { readInstructions } from '../../server/instructions.js';
import { serveStdio } from '../../server/protocol/stdio.js';
import { createServer } from '../../server/server.js';
import { defineCommand } from '../command.js';
import { createIndexing } from '../indexing.js';
import { packageVersion } from '../version.js';

/** Clients ask for the tools right after the handshake: importing the engine at once would keep them waiting. */
const AFTER_HANDSHAKE_MS = 50;
/** Without a handshake, folders are indexed all the same. */
const WITHOUT_HANDSHAKE_MS = 1_000;

/** `hotrag serve`: MCP on stdio. Answers handshake and tool list before the engine is imported, then opens it and indexes. */
export const command = defineCommand({
  usage: '[folder…]',
  takes: { least: 0, most: Number.POSITIVE_INFINITY },
  flags: {
    transport: {
      kind: 'text',
      choices: ['stdio', 'http'],
      describe: 'How clients connect; http is not built yet. Default: stdio.',
    },
    watch: { kind: 'switch', later: true, describe: 'Keep the collection in step with the folders.' },
    host: { kind: 'text', later: true, describe: 'Address to listen on.' },
    port: { kind: 'number', later: true, describe: 'Port to listen on.' },
    token: { kind: 'text', later: true, describe: 'Token that clients must show.' },
  },
  examples: ['hotrag serve ~/notes', 'hotrag serve ~/notes ~/papers --collection reading', 'hotrag serve --root ~/projects'],
  async run({ host, flags, positionals, settings, openRag }) {
    if (flags.transport === 'http')
      throw new RagError('UNSUPPORTED', '--transport http is not built yet; leave it out to serve on stdio');
    const folders = positionals.map((folder) => existingFolder(resolve(host.cwd, folder)));
    const log = (message: string) => host.stderr.write(`hotrag: ${message}\n`);
    const engine = createEngineHolder(openRag);
    const indexing = createIndexing(folders, log);
    const ending = new AbortController();
    let work = Promise.resolve();
    let begun = false;
    const begin = () => {
      begun = true;
      work = engine
        .open()
        .then((rag) => indexing.run(rag, ending.signal))
        .catch((error: unknown) => log(`the engine can't be opened: ${messageOf(error)}`));
    };
    let timer = setTimeout(begin, WITHOUT_HANDSHAKE_MS);

    const server = createServer(engine.open, {
      version: packageVersion(),
      roots: [...folders, ...settings.roots],
      logger: { warn: log, error: log },
      status: indexing.status,
      instructions() {
        clearTimeout(timer);
        if (!begun) timer = setTimeout(begin, AFTER_HANDSHAKE_MS);
        return readInstructions(join(settings.storePath, 'summary.json'));
      },
    });
    await serveStdio(server, { signal: host.signal });

    clearTimeout(timer);
    ending.abort(new Error('the server is ending'));
    await work;
    await engine.close();
    return host.signal.reason === 'SIGINT' ? 130 : 0;
  },
});

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
