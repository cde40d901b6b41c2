import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RagError } from '../core/errors.js';

let root: string | undefined;

/**
 * The absolute path of a file that ships in the package: `assetPath('models', 'static-en-256', 'model.json')`.
 * The one place that knows where the package begins: the code runs from `src/`, from `dist/` and from chunks at any depth of it,
 * so a path relative to a module breaks with the next build.
 * @throws RagError DEPENDENCY_MISSING when the code was bundled away from its package
 */
export function assetPath(...segments: readonly string[]): string {
  root ??= findPackageRoot(dirname(fileURLToPath(import.meta.url)));
  return join(root, ...segments);
}

/**
 * The folder of the character maps that PDFs with fonts of their own encodings need: `dist/cmaps`, where the build puts them, or the
 * package they come from, where nothing was built yet.
 * @throws RagError DEPENDENCY_MISSING when they are in neither place: without them such pages would be empty, silently
 */
export function characterMapsPath(): string {
  const places = [assetPath('dist', 'cmaps'), assetPath('node_modules', 'pdfjs-dist', 'cmaps')];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw missing('The character maps for PDF', places[0]);
  return found;
}

/**
 * The script of a worker thread: `workerPath('loaders')`. Built ones only, because a thread of Node runs no TypeScript.
 * @throws RagError DEPENDENCY_MISSING when it was not built
 */
export function workerPath(name: string): string {
  const path = assetPath('dist', 'workers', `${name}.js`);
  if (!existsSync(path)) throw missing(`The worker '${name}'`, path);
  return path;
}

/**
 * The nearest folder, upward from `start`, whose package.json is hotrag's own.
 * @throws RagError DEPENDENCY_MISSING when there is none
 */
export function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isOurs(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) {
      throw new RagError(
        'DEPENDENCY_MISSING',
        `No package.json of hotrag above ${start}: the files it ships (models/) can't be found. Leave hotrag external when you bundle.`,
      );
    }
  }
}

function missing(what: string, path: string | undefined): RagError {
  return new RagError(
    'DEPENDENCY_MISSING',
    `${what} is not in the package (${path}): install hotrag again, or run \`npm run build\`.`,
  );
}

function isOurs(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'hotrag';
  } catch {
    return false; // a broken package.json of somebody else's on the way up
  }
}
