import type { Change, Chunk, DocumentRow, Entry, Metadata } from '../../src/core/contracts.js';
import { chunkId } from '../../src/core/ids.js';

/** One document to put: as many chunks as texts, each with its vector. */
export interface SampleDocument {
  readonly id: string;
  readonly texts: readonly string[];
  readonly metadata?: Metadata | undefined;
  readonly group?: string | undefined;
  /** @default directions spread by the chunk's text */
  readonly vector?: ((position: number) => Float32Array) | undefined;
}

/** Makes the change that puts these documents; their hash covers what is in them. */
export function changeOf(documents: readonly SampleDocument[], dimensions: number): Change {
  return { put: documents.map((document) => putOf(document, dimensions)), drop: [] };
}

function putOf(
  { id, texts, metadata = {}, group = 'default', vector }: SampleDocument,
  dimensions: number,
): Change['put'][number] {
  const hash = hashOf(JSON.stringify([texts, metadata, group]));
  let start = 0;
  const entries = texts.map((text, position): Entry => {
    const span: [number, number] = [start, start + text.length];
    start += text.length;
    const chunk: Chunk = {
      id: chunkId(id, hash, group, position),
      documentId: id,
      uri: id,
      hash,
      group,
      position,
      text,
      span,
      location: { lines: [position + 1, position + 1], headings: ['Über “this”'] },
      metadata,
    };
    return { ...chunk, vector: vector?.(position) ?? directionOf(text, dimensions) };
  });
  const document: DocumentRow = {
    id,
    uri: id,
    hash,
    metadata,
    loader: 'text',
    origin: '',
    length: start,
    chunks: entries.length,
    updatedAt: '2024-05-06T07:08:09.000Z',
  };
  return { document, entries };
}

/** A unit vector that hangs on the text only: equal texts tie. */
export function directionOf(text: string, dimensions: number): Float32Array {
  const random = seeded(text);
  const values = Float32Array.from({ length: dimensions }, () => random() * 2 - 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

/** Numbers from 0 to 1, always the same for a seed. */
export function seeded(seed: string): () => number {
  let state = Number.parseInt(hashOf(seed).slice(0, 8), 16);
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

function hashOf(text: string): string {
  let hash = '';
  for (let part = 0; part < 8; part++) {
    let value = 2_166_136_261 ^ part;
    for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
    hash += (value >>> 0).toString(16).padStart(8, '0');
  }
  return hash;
}
