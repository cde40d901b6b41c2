import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Characters of a passage: a sentence or two. Embedding time grows with them, and a hundred thousand are to be embedded. */
const LEAST = 60;
const MOST = 240;
const LARGEST_FILE = 4 << 20;

/**
 * Passages of real text under the given folders: paragraphs of Markdown, reStructuredText and plain text, and the comments of source code;
 * each once, in an order that mixes the files but is the same in every run over the same files.
 * @param folders read in order; files in the order of their paths
 * @param limit passages that are wanted
 */
export function passagesOf(folders, limit) {
  const seen = new Set();
  for (const folder of folders) {
    for (const name of filesUnder(folder)) {
      const text = readFileSync(join(folder, name), 'utf8');
      const prose = /\.(md|markdown|rst|txt)$/i.test(name) ? [text] : commentsOf(text);
      for (const part of prose) for (const passage of cut(part)) seen.add(passage);
    }
  }
  return [...seen]
    .map((passage) => [hash(passage), passage])
    .sort(([left], [right]) => left - right)
    .slice(0, limit)
    .map(([, passage]) => passage);
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.(md|markdown|rst|txt|[cm]?[jt]s|h|hpp|go|rs|py)$/i.test(name) && !/\.min\.[cm]?js$/.test(name))
    .filter((name) => {
      const file = statSync(join(folder, name), { throwIfNoEntry: false });
      return file?.isFile() === true && file.size <= LARGEST_FILE;
    })
    .sort();
}

function commentsOf(source) {
  const blocks = source.match(/\/\*[\s\S]*?\*\//g) ?? [];
  const lines = source.match(/(?:^[ \t]*\/\/.*\n)+/gm) ?? [];
  return [
    ...blocks.map((block) => block.replace(/\*+\/\s*$/, '').replace(/^[ \t]*\/?\*+/gm, '')),
    ...lines.map((run) => run.replace(/^[ \t]*\/+!?/gm, '')),
  ];
}

/** Paragraphs, and within them runs of sentences of at most `MOST` characters. */
function* cut(text) {
  for (const paragraph of text.split(/\n\s*\n/)) {
    const clean = paragraph.replace(/\s+/g, ' ').trim();
    if (!isProse(clean)) continue;
    let passage = '';
    for (const sentence of clean.split(/(?<=[.!?]) /)) {
      if (passage.length > 0 && passage.length + sentence.length >= MOST) {
        if (passage.length >= LEAST) yield passage;
        passage = '';
      }
      passage = `${passage} ${sentence}`.trim().slice(0, MOST);
    }
    if (passage.length >= LEAST) yield passage;
  }
}

/** Mostly letters and spaces, with words in it: no tables, rulers, code or encoded data. */
function isProse(text) {
  if (text.length < LEAST) return false;
  const letters = text.replace(/[^\p{L} ]/gu, '').length;
  return letters / text.length > 0.8 && text.split(' ').length > 6;
}

/** FNV-1a over UTF-16 units, then mixed: spreads neighbours. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value ^= value >>> 16;
  return Math.imul(value, 0x85ebca6b) >>> 0;
}
