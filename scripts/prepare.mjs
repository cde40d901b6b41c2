// `npm ci` in a clone also builds. npm runs `prepare` under `npm ci --omit=dev` and `npm i --package-lock-only` too,
// where the build tools are absent: then there is nothing to do.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../node_modules/tsup/', import.meta.url)) && existsSync(new URL('../src/', import.meta.url))) {
  await import('./build.mjs');
}
