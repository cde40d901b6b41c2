// The packages that users install themselves to run models in process, for benches of the built package: where
// test/servers/engines/fetch-packages.sh puts them, seen from dist/ as if they were installed beside it.
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const INSTALLED = fileURLToPath(new URL('../../.engines/packages-1/node_modules', import.meta.url));
const BESIDE = fileURLToPath(new URL('../../dist/node_modules', import.meta.url));

/** Runs `work` with them, where they are there; without them it says in its own words what is missing. */
export async function withPackages(work) {
  if (existsSync(BESIDE) || !existsSync(INSTALLED)) return work();
  symlinkSync(INSTALLED, BESIDE, 'junction');
  try {
    return await work();
  } finally {
    rmSync(BESIDE, { force: true });
  }
}
