import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const FOLDERS = [fileURLToPath(new URL('../../node_modules/', import.meta.url)), '/usr/share/doc'];
/** Words of a passage: about what a chunk has. */
const WORDS = 120;
const LARGEST_FILE = 4 << 20;

/**
 * Real text: the Markdown of the installed packages, then the documentation under /usr/share/doc where there is any. Passages of 120 words,
 * each different, in an order that mixes the files and is the same in every run over the same files.
 * @param limit passages that are wanted; a machine with less text gives fewer
 */
export function textPassages(limit) {
  const seen = new Map();
  for (const folder of FOLDERS) {
    for (const name of filesIn(folder)) {
      if (seen.size >= 2 * limit) break;
      const words = textOf(join(folder, name)).split(/\s+/);
      for (let start = 0; start + WORDS / 2 < words.length; start += WORDS) {
        const passage = words.slice(start, start + WORDS).join(' ');
        seen.set(hash(passage), passage);
      }
    }
  }
  return [...seen]
    .sort(([left], [right]) => left - right)
    .slice(0, limit)
    .map(([, passage]) => passage);
}

/** Queries of three to eight words, as they stand together in passages. */
export function queriesFrom(passages, count) {
  return Array.from({ length: count }, (_, index) => {
    const words = passages[(index * 7919) % passages.length].split(' ');
    const start = (index * 31) % Math.max(1, words.length - 8);
    return words.slice(start, start + 3 + (index % 6)).join(' ');
  });
}

function filesIn(folder) {
  try {
    return readdirSync(folder, { recursive: true })
      .filter((name) => (folder === FOLDERS[0] ? /\.(md|markdown)$/i.test(name) : !/\.(png|svg|jpg|html?|js|css)$/i.test(name)))
      .sort();
  } catch {
    return [];
  }
}

function textOf(path) {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file?.isFile() !== true || file.size > LARGEST_FILE) return '';
  const bytes = readFileSync(path);
  try {
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch {
    return '';
  }
}

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
