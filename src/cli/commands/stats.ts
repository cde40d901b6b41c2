import type { CacheStats } from '../../core/types.js';
import { maskSecrets } from '../../sdk/config.js';
import { defineCommand } from '../command.js';
import { createStyle, type Style, table } from '../terminal.js';

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
    stdout.write(`\n${renderCaches(found.cache, stdout.columns, style)}`);
    return 0;
  },
});

function renderCaches({ layers, collection, version }: CacheStats, columns: number, style: Style): string {
  const rows = Object.entries(layers).map(([name, layer]) => [
    name,
    ...[layer.entries, layer.bytes, layer.evictions, layer.hits, layer.misses].map(String),
    `${Math.round(100 * layer.hitRate)} %`,
    layer.savedMs.toFixed(1),
  ]);
  const tiers = Object.entries(layers).flatMap(([name, layer]) =>
    layer.tiers.map((tier) => [name, tier.name, ...[tier.hits, tier.misses, tier.errors].map(String)]),
  );
  const state = version === '' ? 'does not exist yet' : `is at version ${version}`;
  return [
    `${style.foreign(collection)} ${state}\n\n`,
    table(
      [['cache', 'entries', 'bytes', 'evicted', 'hits', 'misses', 'hit rate', 'ms saved'], ...rows],
      columns,
      [1, 2, 3, 4, 5, 6, 7],
    ),
    '\n',
    table([['cache', 'tier', 'hits', 'misses', 'errors'], ...tiers], columns, [2, 3, 4]),
  ].join('');
}
