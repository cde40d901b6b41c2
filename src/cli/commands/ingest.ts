import type { Metadata } from '../../core/contracts.js';
import type { IngestOptions, IngestReport } from '../../core/types.js';
import { defineCommand } from '../command.js';
import { createProgressBar } from '../progress.js';
import { createStyle, type Style } from '../terminal.js';

/** `hotrag ingest`: prints an IngestReport, and on stderr what could not be taken; status 1 when a document failed. */
export const command = defineCommand({
  usage: '<file|folder|glob…>',
  takes: { least: 1, most: Number.POSITIVE_INFINITY },
  flags: {
    metadata: { kind: 'object', value: '{"lang":"en"}', describe: 'Metadata for every document of this call.' },
    prune: { kind: 'switch', describe: 'Remove documents that came from the same folders and globs and are gone.' },
    watch: { kind: 'switch', describe: 'Stay, and keep the collection in step; what vanishes is removed.' },
  },
  examples: [
    'hotrag ingest docs',
    `hotrag ingest "notes/**/*.md" report.csv --metadata '{"lang":"en"}'`,
    'hotrag ingest docs --prune --json',
    'hotrag ingest docs --watch',
  ],
  async run({ host, flags, positionals, json, withRag }) {
    const bar = createProgressBar(host.stderr);
    const options: IngestOptions = {
      metadata: flags.metadata as Metadata | undefined, // the engine checks it, as it does everyone's
      onProgress: bar.update,
      signal: host.signal,
    };
    const print = (report: IngestReport) => {
      bar.end();
      host.stderr.write(renderProblems(report, createStyle(host, host.stderr)));
      host.stdout.write(json ? `${JSON.stringify(report)}\n` : renderCounts(report, createStyle(host, host.stdout)));
    };
    return withRag(async (rag) => {
      try {
        if (flags.watch) {
          for await (const report of rag.watch(positionals, options)) print(report);
          return 0;
        }
        const report = await rag.ingest(positionals, { ...options, prune: flags.prune });
        print(report);
        return report.failed.length > 0 ? 1 : 0;
      } finally {
        bar.end();
      }
    });
  },
});

function renderProblems({ failed, warnings }: IngestReport, style: Style): string {
  return [
    ...failed.map(({ uri, code, message }) => `${style.foreign(`failed: ${uri}: ${code} ${message}`)}\n`),
    ...warnings.map(({ uri, message }) => `${style.foreign(`warning: ${uri}: ${message}`)}\n`),
  ].join('');
}

function renderCounts(report: IngestReport, style: Style): string {
  const { added, changed, unchanged, removed, failed, chunks, tookMs } = report;
  const counts = { added, changed, unchanged, removed, failed: failed.length };
  const parts = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  const summary = `${parts.join(', ') || 'nothing found'}; ${chunks} chunks written in ${(tookMs / 1000).toFixed(1)} s`;
  return `${style.bold(summary)}\n`;
}
