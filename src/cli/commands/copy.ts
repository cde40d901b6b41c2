import type { CopyReport } from '../../core/copy.js';
import type { StoreOption } from '../../sdk/copy.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../failure.js';
import { createProgressBar } from '../progress.js';
import { readStore } from '../store-argument.js';
import { createStyle, type Style } from '../terminal.js';

/** `hotrag copy`: prints a CopyReport. */
export const command = defineCommand({
  usage: '--from STORE --to STORE',
  takes: { least: 0, most: 0 },
  flags: {
    from: {
      kind: 'text',
      value: 'STORE',
      describe:
        'Where to copy from: memory:DIR, chroma:URL, milvus:HOST:PORT, or options as JSON. Default: the configured store.',
    },
    to: { kind: 'text', value: 'STORE', describe: 'Where to copy to, likewise.' },
    'to-collection': { kind: 'text', value: 'NAME', describe: 'Name of the collection there. Default: the same.' },
  },
  examples: [
    'hotrag copy --from memory:.hotrag --to chroma:http://localhost:8000',
    `hotrag copy --collection docs --to '{"type":"milvus","uri":"localhost:19530","index":"HNSW"}'`,
    'hotrag copy --collection docs --to-collection docs-2024',
  ],
  async run({ host, flags, json, settings }) {
    const { from, to, 'to-collection': toCollection } = flags;
    if (from === undefined && to === undefined && toCollection === undefined)
      throw new UsageError('hotrag copy needs --to, or --from', 'See hotrag copy --help');
    const { store: configured, collection } = await settings.check();
    const defaults = { host, configured, storePath: settings.storePath };
    const { copyCollection } = await import('../../sdk/copy.js');
    const bar = createProgressBar(host.stderr);
    const report = await copyCollection({
      // `copyCollection` checks what these hold.
      from: readStore('from', from, defaults) as unknown as StoreOption,
      to: readStore('to', to, defaults) as unknown as StoreOption,
      collection,
      toCollection,
      onProgress: bar.update,
      signal: host.signal,
    }).finally(bar.end);
    host.stdout.write(json ? `${JSON.stringify(report)}\n` : renderReport(report, createStyle(host, host.stdout)));
    return 0;
  },
});

function renderReport(report: CopyReport, style: Style): string {
  const { documents, chunks, copied, skipped, extra, compared, vectorDifference, rounds, tookMs } = report;
  const vectors =
    vectorDifference === 0 ? 'equal to the last bit' : `equal but for ${vectorDifference.toExponential(0)} in vectors`;
  return [
    style.bold(`${copied} copied, ${skipped} there already; in ${(tookMs / 1000).toFixed(1)} s`),
    `${documents} documents with ${chunks} chunks on both sides; ${compared} of them compared chunk by chunk: ${vectors}`,
    ...(extra > 0 ? [`${extra} more documents are in the target only, and stay`] : []),
    ...(rounds > 1 ? [`the source changed meanwhile, and was gone through ${rounds} times`] : []),
    '',
  ].join('\n');
}
