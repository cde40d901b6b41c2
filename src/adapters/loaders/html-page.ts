// Loaded for HTML only, and so may import its packages at the top.
import { Readability } from '@mozilla/readability';
import { FIRST_LEVEL, toMarkdown } from './html-markdown.js';
import { bodyOf, type HtmlDocument, type HtmlElement, parseTree } from './html-tree.js';

/** Never content: code, controls, frames, and what a reader doesn't see. */
const NOISE =
  'title, script, style, noscript, template, svg, math annotation, iframe, object, canvas, button, select, input, textarea, dialog, [hidden], [aria-hidden="true"], [style*="display:none"], [style*="display: none"], [style*="visibility:hidden"], [style*="visibility: hidden"]';
/** Around the content, by their own word. */
const FURNITURE =
  'nav, [role="navigation"], [role="banner"], [role="contentinfo"], [role="search"], body > header, body > footer';
/** Longer pages are manuals in one piece; Readability would need as much time and memory again as all the rest. UTF-16 units. */
const LONG_CHARS = 1_000_000;
const MAIN = 'main, [role="main"], article';

/** What a page says. */
export interface Page {
  /** Markdown. */
  readonly text: string;
  /** '' where it has none. */
  readonly title: string;
}

/**
 * The main content of a page, in this order: the one `main` or `article`; what Readability takes for the article, unless that is less
 * than two thirds of the page, as on pages of lists and references, or the page is too long for an article; the body without navigation, page
 * header and footer.
 */
export function readPage(html: string): Page {
  const document = parseTree(html);
  const title = oneLine(document.querySelector('head > title, body > title')?.textContent ?? '');
  for (const element of document.querySelectorAll(NOISE)) element.remove();
  const text = toMarkdown(mainOf(document, html.length > LONG_CHARS));
  const named = title === '' || text === '' || /^# /m.test(text);
  return { text: named ? text : `# ${title}\n\n${text}`, title };
}

function mainOf(document: HtmlDocument, isLong: boolean): HtmlElement {
  const [main, second] = document.querySelectorAll(MAIN);
  if (main !== undefined && second === undefined && wordsOf(main) > 0) return main;
  const body = bodyOf(document);
  for (const element of body.querySelectorAll(FURNITURE)) element.remove();
  return (isLong ? undefined : articleOf(document, (2 / 3) * wordsOf(body))) ?? body;
}

/** What Readability finds, when it has as many words as asked for. It works on a copy, because it takes apart what it is given. */
function articleOf(document: HtmlDocument, leastWords: number): HtmlElement | undefined {
  const copy = document.cloneNode(true);
  for (const heading of copy.querySelectorAll('h1')) heading.setAttribute(FIRST_LEVEL, ''); // Readability makes them h2
  const content = new Readability<HtmlElement>(copy, { keepClasses: true, serializer: (node) => node }).parse()?.content;
  return content !== null && content !== undefined && wordsOf(content) >= leastWords ? content : undefined;
}

function wordsOf(element: HtmlElement): number {
  return element.textContent?.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
