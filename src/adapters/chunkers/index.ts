import type { Chunker, LoadedDocument } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { RECORD_SEPARATOR } from '../loaders/records.js';
import type { ChunkerOptions } from './options.js';
import { sectionsOf } from './sections.js';
import { sentencesOf } from './sentences.js';
import { cutsApart, cutsOf, type Unit } from './units.js';
import { createWrittenChunker, WRITTEN_CHARS, type Write } from './written.js';

type ChunkerType = NonNullable<ChunkerOptions['type']>;
type Way = Exclude<ChunkerType, 'auto' | 'sentence' | 'summary' | 'qa'>;

const TYPES: readonly ChunkerType[] = ['auto', 'markdown', 'records', 'recursive', 'sentence', 'summary', 'qa'];

/**
 * A chunker; it works through a document lazily and in time proportional to its length. `write` asks an engine, for `summary` and `qa`.
 * @throws RagError CONFIG_INVALID
 * @example createChunker({ type: 'markdown', maxChars: 600 })
 */
export function createChunker(options: ChunkerOptions = {}, write: Write = refuseToWrite): Chunker {
  const { type = 'auto' } = options;
  const isWritten = type === 'summary' || type === 'qa';
  const { maxChars = isWritten ? WRITTEN_CHARS : 1000 } = options;
  const { overlap = type === 'sentence' || isWritten ? 0 : Math.floor(maxChars / 10) } = options;
  if (!TYPES.includes(type)) throw wrong('type', `one of ${TYPES.join(', ')}`, type);
  if (!Number.isInteger(maxChars) || maxChars < 32) throw wrong('maxChars', 'a whole number from 32 on', maxChars);
  if (!Number.isInteger(overlap) || overlap < 0 || 2 * overlap >= maxChars)
    throw wrong('overlap', 'less than half of maxChars', overlap);
  if (isWritten) {
    if (overlap > 0) throw wrong('overlap', `left out for ${type}, whose parts stand side by side`, overlap);
    return createWrittenChunker(type, maxChars, write);
  }
  return {
    id: `${type}@1 maxChars=${maxChars} overlap=${overlap}`,
    chunk(document) {
      const { text, format } = document;
      if (type !== 'sentence')
        return cutsOf(text, unitsOf(document, type === 'auto' ? wayOf(format) : type), { maxChars, overlap });
      return cutsApart(text, sentencesOf(text, unitsOf(document, wayOf(format))), { maxChars, overlap });
    },
  };
}

async function refuseToWrite(): Promise<string> {
  throw new RagError('NO_ENGINE', 'groups of the types summary and qa are written by an engine: configure `generator`');
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
