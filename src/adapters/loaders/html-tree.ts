// Loaded for HTML and docx only, and so may import its package at the top.
import { parseHTML } from 'linkedom';

/** What is used of an element. The compiler doesn't know the DOM here, so that no browser global is taken for one of Node. */
export interface HtmlElement {
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly parentElement: HtmlElement | null;
  readonly children: ArrayLike<HtmlElement>;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  closest(selector: string): HtmlElement | null;
  querySelector(selector: string): HtmlElement | null;
  querySelectorAll(selector: string): Iterable<HtmlElement>;
  remove(): void;
}

/** What is used of a document. */
export interface HtmlDocument {
  readonly documentElement: HtmlElement;
  querySelector(selector: string): HtmlElement | null;
  querySelectorAll(selector: string): Iterable<HtmlElement>;
  cloneNode(deep: boolean): HtmlDocument;
}

/** The tree of a page, or of a fragment, for which linkedom implies no `html` and `body`. Nothing is loaded or run. */
export function parseTree(html: string): HtmlDocument {
  const whole = /<(?:html|body|head)[\s>]/i.test(html.slice(0, 65_536));
  return parseHTML(whole ? html : `<!doctype html><html><head></head><body>${html}</body></html>`).document;
}

/** Where the content of a tree begins. */
export function bodyOf(document: HtmlDocument): HtmlElement {
  return document.querySelector('body') ?? document.documentElement;
}
