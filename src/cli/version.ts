import { readFileSync } from 'node:fs';
import { assetPath } from '../adapters/assets.js';

/** The package's own version. */
export function packageVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8'));
  return manifest.version;
}
