// Builds dist/ from nothing: tsup runs two configs into one folder, so neither may clean.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true });
const tsup = new URL('../node_modules/tsup/dist/cli-default.js', import.meta.url);
const { status } = spawnSync(process.execPath, [tsup.pathname, ...(process.argv.includes('--verbose') ? [] : ['--silent'])], {
  stdio: 'inherit',
  cwd: new URL('..', import.meta.url),
});
process.exit(status ?? 1);
