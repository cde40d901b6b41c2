import * as z from 'zod';
import { invalidInput, RagError } from '../../core/errors.js';
import { checkMetadata } from '../../core/metadata.js';
import type { IngestReport } from '../../core/types.js';
import type { LastingWork } from '../lasting.js';
import { createProgressReporter } from '../progress.js';
import { bounded, count, milliseconds, oneLine } from '../render.js';
import { defineTool } from '../tool.js';
import { collection, ingestReport, metadata, orElse, strict } from './schemas.js';

const source = z.union(
  [z.string().min(1), strict({ uri: z.string().min(1), metadata: metadata.optional() })],
  orElse('must be a path or { uri, metadata }'),
);
/** Documents of one call whose change is told by name; of more, only that there were some. */
const MOST_NAMED = 1_000;

const document = strict({ id: z.string().min(1).optional(), text: z.string(), metadata: metadata.optional() });

export const ingest = defineTool({
  name: 'ingest',
  title: 'Index documents',
  description:
    'Read files, folders or globs (sources) and texts (documents) into the index, so that search finds them. What is unchanged is skipped and ' +
    'what changed is replaced, so calling it again is cheap; after a timeout call it again, it goes on where it was. ' +
    'Use it when the user names files to index or asks you to remember a text. Not for reading a file once, and nothing is fetched from the network.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: strict({
    sources: z
      .array(source)
      .min(1)
      .optional()
      .meta({ description: 'Paths, folders or globs such as docs/**/*.md, under an allowed folder.' }),
    documents: z.array(document).min(1).optional().meta({ description: 'Texts; without an id a text is known by its content.' }),
    metadata: metadata.optional(),
    prune: z
      .boolean()
      .optional()
      .meta({ description: 'Also remove documents of these folders and globs whose files are gone.', default: false }),
    collection,
  }),
  output: ingestReport,
  async run(rag, { sources = [], documents = [], ...options }, { signal, progress, allowedRoots, lasting, changed }) {
    if (sources.length + documents.length === 0) throw invalidInput('sources', 'name sources, documents or both');
    const roots = sources.length > 0 ? await allowedRoots() : undefined;
    if (roots?.length === 0) {
      throw new RagError(
        'FORBIDDEN',
        'no folder is open for reading: start `hotrag serve` with a folder or `--root`, or send the text as documents',
      );
    }
    // Here the path of a wrong value is known as the caller wrote it; for the engine, all are sources.
    const texts = documents.map((text, index) => ({
      ...text,
      metadata: checkMetadata(text.metadata, `documents[${index}].metadata`),
    }));
    const reporter = progress && createProgressReporter(progress);
    const collection = options.collection ?? rag.collection;
    const key = JSON.stringify([collection, sources, texts, options, roots]);
    const work: LastingWork<IngestReport> = async (ending, tell) => {
      const seen = new Set<string>();
      const result = await rag.ingest([...sources, ...texts], {
        ...options,
        signal: ending,
        roots,
        onProgress({ done, total, uri }) {
          if (uri !== undefined && seen.size < MOST_NAMED) seen.add(uri);
          tell({ progress: done, total, message: uri });
        },
      });
      if (result.added + result.changed + result.removed > 0) changed({ collection, documents: [...seen] });
      return result;
    };
    const result = await lasting.run(key, work, { signal, report: reporter?.report });
    await reporter?.flush();
    return result;
  },
  render({ added, changed, unchanged, removed, failed, warnings, chunks, tookMs }) {
    const counts = `${added} added, ${changed} changed, ${unchanged} unchanged, ${removed} removed, ${failed.length} failed`;
    const failures = failed.map(({ uri, code, message }) => oneLine(`- ${uri}: ${code}: ${message}`));
    const notes = warnings.map(({ uri, message }) => oneLine(`- ${uri}: ${message}`));
    return [
      `${counts}; ${count(chunks, 'chunk')} written, ${milliseconds(tookMs)}`,
      ...(failures.length > 0 ? [`Failed (the others are in):\n${bounded(failures, 20)}`] : []),
      ...(notes.length > 0 ? [`Warnings:\n${bounded(notes, 20)}`] : []),
    ].join('\n\n');
  },
});
