import type { Chunk, Chunker, LoadedDocument, Location, Metadata } from './contracts.js';
import { RagError } from './errors.js';
import { chunkId } from './ids.js';
import { nextTurn, turnIsOver } from './turns.js';

/** What the chunks of a document share. */
export interface ChunkOwner {
  readonly id: string;
  readonly uri: string;
  readonly hash: string;
  readonly metadata: Metadata;
}

/**
 * Cuts a document for every group, and gives each chunk its id and place.
 * @throws RagError INPUT_INVALID when a chunker's span does not lie in the text, or the spans are out of order
 */
export async function cutDocument(
  loaded: LoadedDocument,
  { id: documentId, uri, hash, metadata }: ChunkOwner,
  groups: Readonly<Record<string, Chunker>>,
  signal: AbortSignal | undefined,
): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = [];
  for (const [group, chunker] of Object.entries(groups)) {
    const place = createPlaceFinder(loaded);
    let position = 0;
    let latest = 0;
    for await (const { span, text = loaded.text.slice(...span), headings = [] } of chunker.chunk(loaded, { signal })) {
      checkSpan(span, latest, loaded, chunker);
      latest = span[0];
      const id = chunkId(documentId, hash, group, position);
      const location = headings.length === 0 ? place(span) : { ...place(span), headings };
      chunks.push({ id, documentId, uri, hash, group, position, text, span, location, metadata });
      position++;
      if (turnIsOver()) await nextTurn(signal);
    }
  }
  return chunks;
}

function checkSpan([start, end]: readonly [number, number], latest: number, { text }: LoadedDocument, { id }: Chunker): void {
  const isSpan = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= text.length;
  if (isSpan && start >= latest) return;
  const problem = isSpan
    ? `the span [${start}, ${end}] begins before the one ahead of it, at ${latest}; cuts come in document order`
    : `the span [${start}, ${end}] does not lie in the text of ${text.length} characters`;
  throw new RagError('INPUT_INVALID', `chunker ${id}: ${problem}`);
}

/** Lines and pages of spans whose starts mostly ascend: each line end is looked for once. */
function createPlaceFinder({ text, pages }: LoadedDocument): (span: readonly [number, number]) => Location {
  const top = { line: 1, start: 0, end: endOfLine(text, 0) };
  let current = top;

  /** The line that holds an offset. */
  function lineAt(offset: number): number {
    let { line, start, end } = offset < current.start ? top : current;
    while (end < offset) {
      line++;
      start = end + 1;
      end = endOfLine(text, start);
    }
    current = { line, start, end };
    return line;
  }

  return ([start, end]) => {
    const first = lineAt(start);
    const atStart = current;
    const lines = [first, lineAt(Math.max(start, end - 1))] as const;
    current = atStart; // the next chunk may overlap this one
    return pages === undefined ? { lines } : { lines, page: pages.findLastIndex((pageStart) => pageStart <= start) + 1 };
  };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}
