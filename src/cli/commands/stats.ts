import type { CacheStats } from '../../core/types.js';
import { maskSecrets } from '../../sdk/config.js';
import { defineCommand } from '../command.js';
import { createStyle, table } from '../terminal.js';

/** `hotrag stats`: what is in the store, and how it is configured. */
export const command = defineCommand({
  usage: '',
  takes: { least: 0, most: 0 },
  flags: {},
  examples: ['hotrag stats', 'hotrag stats --json'],
  async run({ host, json, settings, withRag }) {
    const { signal, stdout } = host;
    const found = await withRag(async (rag) => ({
      collections: await rag.collections.list({ signal }),
      cache: await rag.cacheStats({ signal }),
    }));
    const store = maskSecrets({ store: (await settings.check()).store });
    if (json) {
      stdout.write(`${JSON.stringify({ ...(store as object), ...found })}\n`); // a masked object is an object
      return 0;
    }
    const style = createStyle(host, stdout);
    const rows = found.collections.map(({ name, documents, chunks, embedder }) => [
      name,
      String(documents),
      String(chunks),
      embedder,
    ]);
    stdout.write(`${style.foreign(JSON.stringify(store))}\n\n`);
    stdout.write(
      rows.length === 0
        ? 'No collections yet.\n'
        : table([['collection', 'documents', 'chunks', 'embedder'], ...rows], stdout.columns, [1, 2]),
    );
    stdout.write(`\n${renderCaches(found.cache, stdout.columns)}`);
    return 0;
  },
});

function renderCaches({ layers }: CacheStats, columns: number): string {
  const rows = Object.entries(layers).map(([name, { entries, bytes, hits, misses }]) => [
    name,
    ...[entries, bytes, hits, misses].map(String),
  ]);
  return table([['cache', 'entries', 'bytes', 'hits', 'misses'], ...rows], columns, [1, 2, 3, 4]);
}
