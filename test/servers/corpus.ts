import { createHash } from 'node:crypto';
import type { Change, Metadata } from '../../src/core/contracts.js';
import { makeDocument } from '../support/chunks.js';

export interface SampleDocument {
  readonly id: string;
  readonly texts: readonly string[];
  readonly metadata?: Metadata | undefined;
  /** Of every chunk. @default directions that have nothing to do with each other */
  readonly vector?: Float32Array | undefined;
}

/** The change that puts these documents; their hashes cover their texts and metadata. */
export function changeOf(documents: readonly SampleDocument[]): Change {
  const put = documents.map(({ id, texts, metadata = {}, vector }) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([texts, metadata]))
      .digest('hex');
    const chunks = texts.map((text) => (vector === undefined ? { text } : { text, vector }));
    return makeDocument(id, chunks, hash, metadata);
  });
  return { put, drop: [] };
}
