// Loaded for HTML and docx only, and so may import its package at the top.
import TurndownService from 'turndown';
import { addTableRules } from './html-tables.js';
import type { HtmlElement } from './html-tree.js';

/** Marks a heading of the first level, whatever its element. */
export const FIRST_LEVEL = 'data-first-level';

/**
 * An element as Markdown for searching: headings, lists, code and tables kept; of links their text, of images their description.
 */
export function toMarkdown(element: HtmlElement): string {
  return normalise(service().turndown(element));
}

function service(): TurndownService {
  const turndown = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' });
  // Backslashes before `_` and `*` would part words that are searched for; only what would become a heading or fence is escaped.
  turndown.escape = (text) => text.replace(/^(#{1,6}\s|```|~~~|[-=]{2,}\s*$)/, '\\$1');
  // Anchors beside headings, for copying their address, are no words.
  turndown.addRule('link', { filter: 'a', replacement: (content) => (/^[#¶§🔗]?$/u.test(content.trim()) ? '' : content) });
  turndown.addRule('first-level', {
    filter: (node) => node.getAttribute(FIRST_LEVEL) !== null,
    replacement: (content) => `\n\n# ${oneLine(content)}\n\n`,
  });
  turndown.addRule('image', { filter: 'img', replacement: (_, node) => oneLine(node.getAttribute('alt') ?? '') });
  turndown.addRule('emphasis', { filter: ['em', 'i', 'strong', 'b'], replacement: (content) => content });
  turndown.addRule('preformatted', { filter: 'pre', replacement: (_, node) => fenced(node) });
  addTableRules(turndown);
  return turndown;
}

/** A block of code with a fence that is longer than any in it. */
function fenced(element: HtmlElement): string {
  const code = (element.textContent ?? '').replace(/^\n+|\s+$/g, '');
  if (code === '') return '';
  const language = /\b(?:language|lang|highlight-source|highlight)-([\w+#.-]+)/.exec(classesOf(element))?.[1] ?? '';
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `\n\n${fence}${language}\n${code}\n${fence}\n\n`;
}

function classesOf(element: HtmlElement): string {
  return [element, element.querySelector('code'), element.parentElement].map((one) => one?.getAttribute('class') ?? '').join(' ');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function normalise(markdown: string): string {
  return markdown
    .replace(/\r\n?/g, '\n')
    .replaceAll('\u00a0', ' ')
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
