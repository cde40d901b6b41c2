import { isUtf8 } from 'node:buffer';
import type { Loader, Source } from '../../core/contracts.js';
import { signatureOf } from './binary.js';
import { createPlainLoaders } from './plain.js';
import { createLoaderThreads, type LoaderThreadsOptions } from './threads.js';

/** A text up to here is read where it is asked for: that takes a millisecond or two, and no thread is started for it. */
const INLINE_BYTES = 1 << 20;
/** Formats whose parser takes long even for small files, or a quarter of a second to load. */
const ALWAYS_IN_THREADS = /^(?:html|pdf|docx)@/;

/** @default as in docs/config.md, `ingest` */
const DEFAULTS: LoaderThreadsOptions = {
  threads: 2,
  documentTimeoutMs: 120_000,
  threadMemoryMb: 1024,
  maxPages: 5000,
  maxUnpackedBytes: 268_435_456,
};

/**
 * The loaders that hotrag has, in the order they are asked. They share threads, which are started for the first document that needs one
 * and ended by `close`, or after some seconds without work.
 */
export function createLoaders(options: Partial<LoaderThreadsOptions> = {}): readonly Loader[] {
  const settings = { ...DEFAULTS, ...options };
  const threads = createLoaderThreads(settings);
  return createPlainLoaders(settings).map((loader) => ({
    id: loader.id,
    accepts: loader.accepts,
    load: (source, { signal } = {}) =>
      isQuick(loader, source) ? loader.load(source, { signal }) : threads.load(loader.id, source, signal),
    close: threads.close,
  }));
}

/** Whether a source is read, or refused, in a moment. Other encodings than UTF-8 take packages and time to tell. */
function isQuick({ id }: Loader, { bytes }: Source): boolean {
  if (ALWAYS_IN_THREADS.test(id)) return bytes.length === 0;
  return bytes.length <= INLINE_BYTES && (signatureOf(bytes) !== undefined || isUtf8(bytes));
}
