import * as z from 'zod';
import type { Chunker, LoadedDocument } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { RECORD_SEPARATOR } from '../loaders/records.js';
import { type ChunkerOptions, chunkerOptions } from './options.js';
import { sectionsOf } from './sections.js';
import { cutsOf, type Unit } from './units.js';

type Way = Exclude<NonNullable<ChunkerOptions['type']>, 'auto'>;

/**
 * A chunker; it works through a document lazily and in time proportional to its length.
 * @throws RagError CONFIG_INVALID
 * @example createChunker({ type: 'markdown', maxChars: 600 })
 */
export function createChunker(options: ChunkerOptions = {}): Chunker {
  const checked = chunkerOptions.safeParse(options);
  if (!checked.success) throw new RagError('CONFIG_INVALID', `chunker: ${z.prettifyError(checked.error)}`);
  const { type, maxChars, overlap = Math.floor(maxChars / 10) } = checked.data;
  return {
    id: `${type}@1 maxChars=${maxChars} overlap=${overlap}`,
    chunk: (document) =>
      cutsOf(document.text, unitsOf(document, type === 'auto' ? wayOf(document.format) : type), { maxChars, overlap }),
  };
}

function wayOf(format: string): Way {
  if (format === 'markdown') return 'markdown';
  return format === 'csv' || format === 'json' || format === 'jsonl' ? 'records' : 'recursive';
}

function unitsOf({ text }: LoadedDocument, way: Way): Iterable<Unit> {
  switch (way) {
    case 'markdown':
      return sectionsOf(text);
    case 'records':
      return recordsOf(text);
    case 'recursive':
      return [{ span: [0, text.length], headings: [], kept: [] }];
  }
}

function* recordsOf(text: string): Iterable<Unit> {
  for (let start = 0; start < text.length; ) {
    const separator = text.indexOf(RECORD_SEPARATOR, start);
    const end = separator === -1 ? text.length : separator + RECORD_SEPARATOR.length;
    yield { span: [start, end], headings: [], kept: [] };
    start = end;
  }
}
