import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { invalidInput, messageOf, RagError } from '../../core/errors.js';
import { describeValue, isPlainObject } from '../../core/values.js';
import type { WarmQuery, WarmReport } from '../../sdk/warm.js';
import { defineCommand } from '../command.js';
import { createProgressBar } from '../progress.js';

/** `hotrag warm`: prints a WarmReport. */
export const command = defineCommand({
  usage: '<queries file>',
  takes: { least: 1, most: 1 },
  flags: {
    answers: { kind: 'switch', describe: 'Answer each query too; costs a run of the engine each.' },
  },
  examples: [
    'hotrag warm queries.txt --caches-shared redis://localhost:6379',
    `echo '{"query":"opening hours","topK":10,"filter":{"lang":"en"}}' > queries.jsonl && hotrag warm queries.jsonl --answers`,
  ],
  async run({ host, flags, json, positionals: [file = ''], settings, withRag }) {
    const { caches, embedder } = await settings.check();
    const onDisk = caches.diskBytes === undefined ? embedder.type !== 'static' : caches.diskBytes > 0;
    if (caches.shared === undefined && !onDisk) {
      throw new RagError(
        'CONFIG_INVALID',
        'caches.shared: none is set, and what warm would keep ends with its process; name a Redis or Memcached that the server shares',
      );
    }
    const { warmCaches } = await import('../../sdk/warm.js');
    const bar = createProgressBar(host.stderr);
    const { signal } = host;
    const report = await withRag((rag) =>
      warmCaches(rag, readQueries(resolve(host.cwd, file), file), {
        answers: flags.answers,
        signal,
        onProgress: ({ done, query }) => bar.update({ phase: 'warming', done, total: 0, chunks: 0, uri: query }),
      }),
    ).finally(bar.end);
    host.stdout.write(json ? `${JSON.stringify(report)}\n` : renderReport(report));
    return report.failed.length === 0 ? 0 : 1;
  },
});

/** One query a line; a line that begins with `{` is JSON. Empty lines and those that begin with `#` are passed over. */
async function* readQueries(path: string, name: string): AsyncIterable<WarmQuery> {
  const input = createReadStream(path);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      yield text.startsWith('{') ? readLine(text, `${name}:${number}`) : text;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('E')) {
      throw new RagError('NOT_FOUND', `${name}: the file can't be read (${error.code})`, { cause: error });
    }
    throw error;
  } finally {
    input.destroy();
  }
}

function readLine(text: string, place: string): WarmQuery {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidInput(place, `not JSON (${messageOf(error)})`);
  }
  if (!isPlainObject(value) || typeof value.query !== 'string')
    throw invalidInput(place, `needs a "query", not ${describeValue(value)}`);
  return value as unknown as WarmQuery; // the engine checks the other options, as it does for everybody
}

function renderReport({ queries, cached, computed, failed, tookMs }: WarmReport): string {
  const lines = [
    `${queries} queries in ${(tookMs / 1000).toFixed(1)} s: ${computed} computed and kept, ${cached} were cached already`,
  ];
  for (const { position, code, message } of failed) lines.push(`  query ${position}: ${code} ${message}`);
  return `${lines.join('\n')}\n`;
}
