import type { Chunker, LoadedDocument } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { RECORD_SEPARATOR } from '../loaders/records.js';
import type { ChunkerOptions } from './options.js';
import { sectionsOf } from './sections.js';
import { cutsOf, type Unit } from './units.js';

type Way = Exclude<NonNullable<ChunkerOptions['type']>, 'auto'>;

const TYPES: readonly NonNullable<ChunkerOptions['type']>[] = ['auto', 'markdown', 'records', 'recursive'];

/**
 * A chunker; it works through a document lazily and in time proportional to its length.
 * @throws RagError CONFIG_INVALID
 * @example createChunker({ type: 'markdown', maxChars: 600 })
 */
export function createChunker({
  type = 'auto',
  maxChars = 1000,
  overlap = Math.floor(maxChars / 10),
}: ChunkerOptions = {}): Chunker {
  if (!TYPES.includes(type)) throw wrong('type', `one of ${TYPES.join(', ')}`, type);
  if (!Number.isInteger(maxChars) || maxChars < 32) throw wrong('maxChars', 'a whole number from 32 on', maxChars);
  if (!Number.isInteger(overlap) || overlap < 0 || 2 * overlap >= maxChars)
    throw wrong('overlap', 'less than half of maxChars', overlap);
  return {
    id: `${type}@1 maxChars=${maxChars} overlap=${overlap}`,
    chunk: (document) =>
      cutsOf(document.text, unitsOf(document, type === 'auto' ? wayOf(document.format) : type), { maxChars, overlap }),
  };
}

function wrong(option: string, needed: string, value: unknown): RagError {
  return new RagError('CONFIG_INVALID', `chunker: ${option} must be ${needed}, not ${String(value)}`);
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
