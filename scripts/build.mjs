// Builds dist/ from nothing: tsup runs two configs into one folder, so neither may clean.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { buildKernel } from './kernel.mjs';

rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true });
const tsup = new URL('../node_modules/tsup/dist/cli-default.js', import.meta.url);
const { status } = spawnSync(process.execPath, [tsup.pathname, ...(process.argv.includes('--verbose') ? [] : ['--silent'])], {
  stdio: 'inherit',
  cwd: new URL('..', import.meta.url),
});
// Character maps for PDFs whose fonts aren't embedded, with their license; found by `characterMapsPath`.
cpSync(new URL('../node_modules/pdfjs-dist/cmaps/', import.meta.url), new URL('../dist/cmaps/', import.meta.url), {
  recursive: true,
});
await buildKernel();
process.exit(status ?? 1);
