import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
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

function packageNames() {
  return readdirSync(PACKAGES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) =>
      name.startsWith('@') ? readdirSync(new URL(`${name}/`, PACKAGES)).map((child) => join(name, child)) : [name],
    )
    .sort();
}
