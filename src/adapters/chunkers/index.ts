import type { Chunker, LoadedDocument } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { RECORD_SEPARATOR } from '../loaders/records.js';
import { sectionsOf } from './sections.js';
import { cutsOf, type Unit } from './units.js';

/** Sizes in UTF-16 units, which in English are about a quarter of a token. */
export interface ChunkerOptions {
  /**
   * `markdown` cuts at headings, `records` at records (tables, JSON lines), `recursive` at paragraphs, lines, sentences;
   * `auto` takes the one that the document's format asks for. @default 'auto'
   */
  readonly type?: (typeof TYPES)[number] | undefined;
  /** The most that a chunk holds. From 100 on. @default 1000 */
  readonly maxChars?: number | undefined;
  /** About how much of a chunk the next one repeats, at most a quarter of `maxChars`. @default a tenth of it */
  readonly overlap?: number | undefined;
}

const TYPES = ['auto', 'markdown', 'records', 'recursive'] as const;

type Way = Exclude<(typeof TYPES)[number], 'auto'>;

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
  if (!TYPES.includes(type))
    throw new RagError('CONFIG_INVALID', `chunker type: one of ${TYPES.join(', ')} is needed, not ${String(type)}`);
  check('maxChars', maxChars, 100, 1_000_000);
  check('overlap', overlap, 0, Math.floor(maxChars / 4));
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

function check(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RagError('CONFIG_INVALID', `chunker ${name}: a whole number from ${least} to ${most} is needed, not ${value}`);
  }
}
