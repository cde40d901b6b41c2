import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSameFingerprint } from '../../core/checks.js';
import { infoOfCollections } from '../../core/collections.js';
import type { Space, VectorStore } from '../../core/contracts.js';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { metricOf, openEmbedder, openStore } from '../../sdk/compose.js';
import type { PlainConfig } from '../../sdk/config.js';
import type { Outcome } from './check.js';

/** How long a lock may be held before it is told: long enough for a commit. */
const PATIENCE_MS = 1_000;

/** The store: it opens, or answers, and what is in it. Nothing is made where there is none. */
export async function lookAtStore({ store, collection }: PlainConfig, signal: AbortSignal): Promise<Outcome> {
  if (!isMade(store)) return nothingYet(store.path ?? '');
  return withStore(store, signal, async (opened) => {
    const collections = await infoOfCollections(opened, { signal });
    const counts = collections
      .map(({ name, documents, chunks }) => `${name} (${documents} documents, ${chunks} chunks)`)
      .join(', ');
    const where = store.type === 'memory' ? store.path : store.uri;
    if (collections.some(({ name }) => name === collection))
      return { state: 'ok', message: `${store.type} at ${where}: ${counts}` };
    const others = counts === '' ? 'no collections yet' : `has ${counts}, and no collection "${collection}"`;
    return {
      state: 'warning',
      message: `${store.type} at ${where}: ${others}`,
      advice: 'Ingest something: hotrag ingest FOLDER.',
    };
  });
}

/** The embedder: it loads and embeds, and made the vectors of the collection. */
export async function lookAtEmbedder(config: PlainConfig, signal: AbortSignal): Promise<Outcome> {
  const embedder = await openEmbedder(config.embedder);
  try {
    const { id, dimensions } = embedder;
    const [vector] = await embedder.embed(['hotrag'], { signal, role: 'query' });
    if (vector?.length !== dimensions) {
      const problem = `the embedder ${id} gave a vector of ${vector?.length ?? 0} numbers instead of ${dimensions}`;
      throw new RagError('UPSTREAM_FAILED', problem, { retryable: false });
    }
    // What is wrong with the store, its own check tells.
    const space = await findSpace(config, signal).catch(() => signal.throwIfAborted());
    const metric = metricOf(config.store);
    if (space === undefined || isSameFingerprint(space.fingerprint, { embedder: id, dimensions, metric })) {
      return { state: 'ok', message: `${id}, ${dimensions} dimensions` };
    }
    const made = space.fingerprint;
    throw new RagError(
      'FINGERPRINT_MISMATCH',
      `collection "${config.collection}" was made with ${made.embedder} (${made.dimensions} dimensions, ${made.metric}), and ${id} (${dimensions} dimensions, ${metric}) is configured`,
    );
  } finally {
    await embedder.close?.();
  }
}

/** The engines that write answers: each can be reached and has its model. */
export async function lookAtEngines(
  { generator }: PlainConfig,
  ollamaHost: string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const { openGenerator } = await import('../../adapters/inference/index.js');
  const open = async (configs: Parameters<typeof openGenerator>[0]) => {
    const generator = await openGenerator(configs, { ollamaHost }, { signal });
    const { engine, model } = generator;
    await generator.close?.();
    return `${engine} with ${model}`;
  };
  if (generator === undefined) {
    try {
      return { state: 'ok', message: `${await open(undefined)}, found on this machine` };
    } catch (error) {
      // Nobody asked for one: searches need none.
      if (!isRagError(error) || error.code !== 'NO_ENGINE') throw error;
      return {
        state: 'warning',
        message: `${error.message.replace(/[.]?$/, '.')} Searches need none; answers do.`,
        advice: error.hint,
      };
    }
  }
  const looks = await Promise.allSettled(generator.map((one) => open([one])));
  const reached = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
  const failures = looks.flatMap((look): readonly unknown[] => (look.status === 'rejected' ? [look.reason] : []));
  if (failures.length === 0) return { state: 'ok', message: reached.join(', ') };
  const [first] = failures;
  return {
    state: reached.length === 0 ? 'failing' : 'warning',
    message: [...failures.map(messageOf), ...reached.map((name) => `${name} stands in`)].join('; '),
    advice: isRagError(first) ? first.hint : undefined,
  };
}

async function findSpace({ store, collection }: PlainConfig, signal: AbortSignal): Promise<Space | undefined> {
  if (!isMade(store)) return undefined;
  return withStore(store, signal, async (opened) =>
    (await opened.collections({ signal })).find((space) => space.collection === collection),
  );
}

/** False where opening would make the store. */
function isMade(store: PlainConfig['store']): boolean {
  return store.type !== 'memory' || store.path === undefined || existsSync(join(store.path, 'data.mdb'));
}

async function withStore<Result>(
  config: PlainConfig['store'],
  signal: AbortSignal,
  use: (store: VectorStore) => Promise<Result>,
): Promise<Result> {
  const store = await open(config);
  try {
    signal.throwIfAborted();
    return await use(store);
  } finally {
    await store.close();
  }
}

async function open(config: PlainConfig['store']): Promise<VectorStore> {
  if (config.type !== 'memory') return openStore(config);
  const { openMemoryStore } = await import('../../adapters/stores/memory/index.js');
  return openMemoryStore({ ...config, patienceMs: PATIENCE_MS });
}

function nothingYet(path: string): Outcome {
  if (existsSync(join(path, 'summary.json'))) {
    throw new RagError('STORE_CORRUPT', `${path}: its file data.mdb is gone, and summary.json beside it tells of what was in it`);
  }
  const advice = 'Nothing is wrong: hotrag ingest FOLDER, or hotrag serve FOLDER, makes it.';
  return { state: 'warning', message: `there is no store at ${path} yet`, advice };
}
