import type TurndownService from 'turndown';
import type { HtmlElement } from './html-tree.js';

/**
 * Tables as Markdown tables: one line a row, the first row as header; a cell's lines and lists become one line. Tables that only lay
 * out a page (one cell a row, or other tables inside) become plain paragraphs.
 */
export function addTableRules(turndown: TurndownService): void {
  turndown.addRule('cell', {
    filter: ['td', 'th'],
    replacement: (content, node) => (isLayout(tableOf(node)) ? `\n\n${content}\n\n` : ` ${cellText(content)} |`),
  });
  turndown.addRule('row', {
    filter: 'tr',
    replacement: (content, node) => {
      if (isLayout(tableOf(node))) return content;
      return content.trim() === '' ? '' : `\n|${content.replaceAll('\n', '')}`;
    },
  });
  turndown.addRule('section', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content });
  turndown.addRule('columns', { filter: ['colgroup', 'col'], replacement: () => '' });
  turndown.addRule('caption', { filter: 'caption', replacement: (content) => `\n\n${content.trim()}\n\n` });
  turndown.addRule('table', {
    filter: 'table',
    replacement: (content, node) => (isLayout(node) ? `\n\n${content}\n\n` : `\n\n${withRule(content)}\n\n`),
  });
}

const layouts = new WeakMap<HtmlElement, boolean>();

function isLayout(table: HtmlElement | null): boolean {
  if (table === null) return true;
  const known = layouts.get(table);
  if (known !== undefined) return known;
  const rows = [...table.querySelectorAll('tr')];
  const layout =
    table.getAttribute('role') === 'presentation' ||
    table.querySelector('table') !== null ||
    rows.every(({ children }) => children.length < 2);
  layouts.set(table, layout);
  return layout;
}

function tableOf(cell: HtmlElement): HtmlElement | null {
  return cell.closest('table');
}

function cellText(content: string): string {
  return content
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .trim();
}

/** A line of dashes under the first row, as wide as the widest: it makes a Markdown table of the rows. */
function withRule(content: string): string {
  const lines = content.split('\n').filter((line) => line.trim() !== '');
  const first = lines.findIndex((line) => line.startsWith('|'));
  if (first === -1) return lines.join('\n');
  const columns = Math.max(...lines.slice(first).map((line) => line.replaceAll('\\|', '').split('|').length - 2));
  const before = lines.slice(0, first);
  const rule = `|${' --- |'.repeat(columns)}`;
  return [...before, ...(first === 0 ? [] : ['']), lines[first], rule, ...lines.slice(first + 1)].join('\n');
}
