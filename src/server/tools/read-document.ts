import * as z from 'zod';
import { fence, oneLine, renderMetadata } from '../render.js';
import { defineTool } from '../tool.js';
import { collection, metadataOut, pair, strict } from './schemas.js';

/** About 25,000 tokens: more than a model can use at once, and less than a client refuses. */
const DEFAULT_MAX_CHARS = 100_000;

export const readDocument = defineTool({
  name: 'read-document',
  title: 'Read a document',
  description:
    'Read an indexed document, or the part of it around a search hit, to get the context that a passage lacks. ' +
    'Give around (the id of a hit) after a search, or lines to read on. Not for finding something: that is search.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: strict({
    id: z.string().min(1).meta({ description: 'The documentId of a hit, or an id of list-documents.' }),
    around: z.string().min(1).optional().meta({ description: 'The id of a hit: read the text about it. Goes without lines.' }),
    lines: z.string().optional().meta({ description: "'a-b': these lines, counted from 1." }),
    maxChars: z.int().min(1).optional().meta({
      description: 'Most characters; whole lines are kept. Default: 100000, around a hit 4000.',
    }),
    collection,
  }),
  output: z.object({
    id: z.string(),
    uri: z.string(),
    text: z.string(),
    lines: pair.meta({ description: 'First and last line of the text.' }),
    metadata: metadataOut,
    nextLine: z.int().optional().meta({ description: 'Where the document goes on; absent at its end.' }),
    cut: z.boolean().optional().meta({ description: 'True when the line was longer than maxChars and its end is left out.' }),
  }),
  run(rag, { id, maxChars, ...options }, { signal }) {
    const bound = maxChars ?? (options.around === undefined ? DEFAULT_MAX_CHARS : undefined);
    return rag.documents.read(id, { ...options, maxChars: bound, signal });
  },
  render({ uri, text, lines: [first, last], metadata, nextLine, cut }, { lines }) {
    const asked = lines === undefined ? '' : ` (asked for ${lines})`;
    const fields = renderMetadata(metadata);
    return [
      `${oneLine(uri)} · lines ${first}–${last}${asked}${fields === '' ? '' : `\nmetadata: ${fields}`}`,
      fence(text),
      ...(cut === true ? [`Line ${first} is longer than this; more maxChars show more of it.`] : []),
      ...(nextLine === undefined ? [] : [`The document goes on at line ${nextLine}: use lines.`]),
    ].join('\n\n');
  },
});
