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

function isOurs(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'hotrag';
  } catch {
    return false; // a broken package.json of somebody else's on the way up
  }
}
