import * as z from 'zod';
import { invalidInput, RagError } from '../../core/errors.js';
import { checkMetadata } from '../../core/metadata.js';
import { createProgressReporter } from '../progress.js';
import { bounded, count, milliseconds, oneLine } from '../render.js';
import { defineTool } from '../tool.js';
import { collection, ingestReport, metadata, orElse, strict } from './schemas.js';

const source = z.union(
  [z.string().min(1), strict({ uri: z.string().min(1), metadata: metadata.optional() })],
  orElse('must be a path or { uri, metadata }'),
);
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
  async run(rag, { sources = [], documents = [], ...options }, { signal, progress, allowedRoots }) {
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
    const report = await rag.ingest([...sources, ...texts], {
      ...options,
      signal,
      roots,
      onProgress: reporter && (({ done, total, uri }) => reporter.report({ progress: done, total, message: uri })),
    });
    await reporter?.flush();
    return report;
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
