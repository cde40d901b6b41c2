import type { Field, Metadata, SourceFinder } from './contracts.js';
import { invalidInput, RagError } from './errors.js';
import type { IngestItem, IngestProblem } from './ingest.js';
import { checkMetadata } from './metadata.js';
import type { IngestOptions, IngestSource } from './types.js';

/** Most sources that one call names: files in a folder don't count. */
const MOST_SOURCES = 100_000;
/** Longest id, in UTF-16 units. */
const LONGEST_ID = 1024;

export interface ItemParts {
  readonly finder: SourceFinder;
  readonly fields: readonly Field[];
  readonly hash: (parts: readonly (string | Uint8Array)[]) => Promise<string>;
  /** Allowed folders where the call names none. */
  readonly roots: readonly string[] | undefined;
}

export interface ItemList {
  readonly items: AsyncIterable<IngestItem | IngestProblem>;
  /** Of the folders and globs, for `prune`; without those that could not be listed to the end. */
  readonly origins: ReadonlySet<string>;
  /** Items listed so far. */
  readonly total: () => number;
}

/**
 * Turns the sources of an ingest call into items: texts first, then files that have metadata of their own, then the others.
 * A document that several sources name is taken once, from the first of them.
 * @throws RagError INPUT_INVALID · FORBIDDEN, before anything is read
 */
export async function listItems(parts: ItemParts, sources: unknown, options: IngestOptions): Promise<ItemList> {
  const fields = parts.fields.length === 0 ? undefined : parts.fields;
  const common = checkMetadata(options.metadata ?? {}, 'metadata', fields);
  const named = (Array.isArray(sources) ? sources : [sources]).map((source, index) =>
    checkSource(source, `sources[${index}]`, fields),
  );
  if (named.length > MOST_SOURCES)
    throw invalidInput('sources', `${named.length} are too many for one call; at most ${MOST_SOURCES}`);

  const texts = await textItems(parts, named.filter(isText), common);
  const files = named
    .filter(isFile)
    .sort((left, right) => Number(left.metadata === undefined) - Number(right.metadata === undefined));
  const roots = options.roots ?? parts.roots;
  const found = await parts.finder.resolve(
    files.map(({ uri }) => uri),
    { roots, signal: options.signal },
  );
  const origins = new Set(found.map(({ origin }) => origin));
  let total = texts.length;

  async function* items(): AsyncIterable<IngestItem | IngestProblem> {
    yield* texts;
    // One folder or glob names no file twice.
    const mayClash = texts.length > 0 || found.length > 1;
    const paths = new Map<string, string>(texts.map(({ id }) => [id, '']));
    for (const [index, source] of found.entries()) {
      const metadata = { ...common, ...files[index]?.metadata };
      for await (const file of source.files({ signal: options.signal })) {
        if ('error' in file) {
          // What cannot be listed is not known to be gone: its documents stay.
          origins.delete(source.origin);
          total++;
          yield file;
          continue;
        }
        const earlier = paths.get(file.uri);
        if (earlier === file.path) continue;
        total++;
        if (earlier !== undefined) {
          yield { uri: file.uri, error: clash(file.uri, file.path, earlier) };
          continue;
        }
        if (mayClash) paths.set(file.uri, file.path);
        const read = async (signal: AbortSignal | undefined) => ({ uri: file.uri, bytes: await file.read({ signal }) });
        yield { id: file.uri, uri: file.uri, origin: source.origin, metadata, read };
      }
    }
  }

  return { items: items(), origins, total: () => total };
}

/** The files, folders and globs among the sources of a call. */
export function pathsOf(sources: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(sources) ? sources : [sources];
  return list
    .map((source, index) => checkSource(source, `sources[${index}]`, undefined))
    .filter(isFile)
    .map(({ uri }) => uri);
}

type Text = { readonly id: string | undefined; readonly text: string; readonly metadata: Metadata | undefined };
type File = { readonly uri: string; readonly metadata: Metadata | undefined };

function isText(source: Text | File): source is Text {
  return 'text' in source;
}

function isFile(source: Text | File): source is File {
  return !isText(source);
}

function checkSource(source: unknown, path: string, fields: readonly Field[] | undefined): Text | File {
  if (typeof source === 'string') return { uri: source, metadata: undefined };
  if (typeof source !== 'object' || source === null) {
    throw invalidInput(path, `a path, a { uri } or a { text } is needed, not ${source === null ? 'null' : typeof source}`);
  }
  const {
    uri,
    text,
    id,
    metadata,
    ...others
  }: Partial<Record<keyof IngestSource | 'uri' | 'text' | 'id' | 'metadata', unknown>> = source;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw invalidInput(`${path}.${unknown}`, 'is not known here; a source has uri or text, id, metadata');
  const checked = metadata === undefined ? undefined : checkMetadata(metadata, `${path}.metadata`, fields);
  if (typeof text === 'string' && uri === undefined) {
    if (id !== undefined && (typeof id !== 'string' || id.trim() === '' || id.length > LONGEST_ID || hasControlCharacters(id))) {
      throw invalidInput(`${path}.id`, `a text of 1 to ${LONGEST_ID} characters without control characters is needed`);
    }
    return { id, text, metadata: checked };
  }
  if (typeof uri === 'string' && text === undefined && id === undefined) return { uri, metadata: checked };
  throw invalidInput(path, 'either { uri, metadata? } or { text, id?, metadata? } is needed');
}

async function textItems({ hash }: ItemParts, texts: readonly Text[], common: Metadata): Promise<readonly IngestItem[]> {
  const items = new Map<string, IngestItem>();
  const encoder = new TextEncoder();
  for (const { id: given, text, metadata } of texts) {
    const id = given ?? (await hash([text])).slice(0, 32);
    const item = { id, uri: id, origin: '', text, metadata: { ...common, ...metadata } };
    const twin = items.get(id);
    if (twin === undefined) {
      items.set(id, { ...item, read: async () => ({ uri: id, bytes: encoder.encode(text) }) });
    } else if (twin.text !== text || JSON.stringify(twin.metadata) !== JSON.stringify(item.metadata)) {
      throw invalidInput(
        'sources',
        `the document ${JSON.stringify(id)} stands twice in this call, with different text or metadata`,
      );
    }
  }
  return [...items.values()];
}

function clash(uri: string, path: string, earlier: string): RagError {
  const other = earlier === '' ? 'a text of this call' : earlier;
  return new RagError(
    'INPUT_INVALID',
    `${uri}: ${path} and ${other} have the same id; ingest them into collections of their own`,
  );
}

function hasControlCharacters(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}
