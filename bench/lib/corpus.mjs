import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = new URL('../../node_modules/', import.meta.url);

/**
 * The installed packages that bring Markdown: real text, hundreds of files, on every machine that ran `npm ci`.
 * Each is a glob with what its package.json tells, to filter by.
 */
export function packageSources() {
  return packageNames().flatMap((name) => {
    try {
      const { license, version, keywords } = JSON.parse(readFileSync(new URL(`${name}/package.json`, PACKAGES), 'utf8'));
      const metadata = { package: name, major: Number.parseInt(version, 10) };
      if (typeof license === 'string') metadata.license = license;
      if (Array.isArray(keywords) && keywords.length > 0) metadata.keywords = keywords.map(String);
      return [{ uri: `node_modules/${name}/**/*.{md,markdown}`, metadata }];
    } catch {
      return []; // a folder that holds no package
    }
  });
}

/** Copies the same files to a folder of documents, as users have them: without the thousands of others that lie between. */
export function copyCorpus(folder) {
  const from = fileURLToPath(PACKAGES);
  for (const name of readdirSync(from, { recursive: true })) {
    if (!/\.(md|markdown)$/i.test(name)) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(join(from, name), join(folder, name));
  }
}

/** Paragraphs of a generated document. */
const PARAGRAPHS = { least: 8, most: 24 };
/** Files in one folder of a generated corpus. */
const FOLDER_FILES = 100;

/**
 * Writes documents made of paragraphs of those files, in an order that is random and the same in every run: as many as are wanted, of real
 * words in their real frequencies, and hardly a chunk twice. Returns their paths.
 */
export function generateCorpus(folder, count, seed = 1) {
  const paragraphs = realParagraphs();
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, number) => {
    const path = join(folder, `part-${String(Math.floor(number / FOLDER_FILES)).padStart(3, '0')}`, `note-${number}.md`);
    const length = PARAGRAPHS.least + Math.floor(random() * (PARAGRAPHS.most - PARAGRAPHS.least + 1));
    const text = Array.from({ length }, () => paragraphs[Math.floor(random() * paragraphs.length)]).join('\n\n');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `# Note ${number}\n\n${text}\n`);
    return path;
  });
}

/** Numbers from 0 to 1 that look random (mulberry32). */
export function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function realParagraphs() {
  const from = fileURLToPath(PACKAGES);
  const names = readdirSync(from, { recursive: true }).filter((name) => /\.(md|markdown)$/i.test(name));
  const paragraphs = names.sort().flatMap((name) => readFileSync(join(from, name), 'utf8').split(/\n\s*\n/));
  // Fences would be torn apart, and a paragraph is no table of a thousand rows.
  return paragraphs.filter((text) => text.length > 40 && text.length < 2000 && !text.includes('```'));
}

function packageNames() {
  return readdirSync(PACKAGES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) =>
      name.startsWith('@') ? readdirSync(new URL(`${name}/`, PACKAGES)).map((child) => join(name, child)) : [name],
    )
    .sort();
}
