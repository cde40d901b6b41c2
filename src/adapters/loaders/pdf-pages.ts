// Loaded for PDF only, and so may import its package at the top.
import { getDocumentProxy } from 'unpdf';
import { messageOf, RagError } from '../../core/errors.js';
import { characterMapsPath } from '../assets.js';
import { BufferTooLarge, withBoundedBuffers } from './bounded-buffers.js';
import type { LoaderLimits } from './limits.js';

export interface PdfPages {
  /** The text of each page. */
  readonly pages: readonly string[];
  /** '' where it has none. */
  readonly title: string;
}

/**
 * The text of each page. Fonts that aren't embedded, as often in Chinese, Japanese and Korean, need the character maps that ship with
 * the package: without them such pages would come out empty, silently.
 * @throws RagError INPUT_INVALID: encrypted, damaged, more than a limit allows
 */
export async function readPdf(uri: string, bytes: Uint8Array, limits: LoaderLimits): Promise<PdfPages> {
  try {
    return await withBoundedBuffers(limits.maxUnpackedBytes, () => readPages(uri, bytes, limits));
  } catch (cause) {
    throw cause instanceof BufferTooLarge ? tooMuch(uri, limits) : unreadable(uri, cause);
  }
}

async function readPages(uri: string, bytes: Uint8Array, limits: LoaderLimits): Promise<PdfPages> {
  const pdf = await open(bytes);
  try {
    if (pdf.numPages > limits.maxPages) {
      const problem = `has ${pdf.numPages} pages, more than ingest.maxPages allows (${limits.maxPages})`;
      throw new RagError('INPUT_INVALID', `${uri} ${problem}`);
    }
    const pages: string[] = [];
    let length = 0;
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const text = textOf(items.flatMap((item) => ('str' in item ? [item] : [])));
      page.cleanup();
      length += 2 * text.length;
      if (length > limits.maxUnpackedBytes) throw tooMuch(uri, limits);
      pages.push(text);
    }
    return { pages, title: await titleOf(pdf) };
  } finally {
    await pdf.destroy();
  }
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

function open(bytes: Uint8Array): Promise<Pdf> {
  // A copy: the library takes the buffer away from its owner.
  return getDocumentProxy(new Uint8Array(bytes), {
    cMapUrl: `${characterMapsPath()}/`,
    cMapPacked: true,
    verbosity: 0,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
  });
}

function tooMuch(uri: string, { maxUnpackedBytes }: LoaderLimits): RagError {
  return new RagError('INPUT_INVALID', `${uri} unfolds to more than ingest.maxUnpackedBytes allows (${maxUnpackedBytes} bytes)`);
}

function unreadable(uri: string, cause: unknown): RagError {
  if (cause instanceof RagError) return cause;
  const encrypted = cause instanceof Error && cause.name === 'PasswordException';
  const problem = encrypted ? 'is encrypted: save it without a password' : `can't be read as a PDF: ${messageOf(cause)}`;
  return new RagError('INPUT_INVALID', `${uri} ${problem}`, { cause });
}

interface Item {
  readonly str: string;
  readonly hasEOL: boolean;
}

/** Lines as they stand; a word that is parted by a hyphen at a line's end is put together, so that it is found. */
function textOf(items: readonly Item[]): string {
  return items
    .map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str))
    .join('')
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '')
    .replace(/[^\S\n]+$/gm, '')
    .replace(/(\p{L})[-\u00ad\u2010]\n(\p{Ll}+\S*)[^\S\n]*/gu, '$1$2\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

async function titleOf(pdf: Pdf): Promise<string> {
  const { info } = await pdf.getMetadata();
  const title: unknown = Reflect.get(info, 'Title');
  return typeof title === 'string' ? title.replace(/\s+/g, ' ').trim() : '';
}
