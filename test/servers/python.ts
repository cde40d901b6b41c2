import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the servers are installed: once, beside the tests, ignored by git. */
export const STORES = fileURLToPath(new URL('../../.stores', import.meta.url));

/** A server that comes as a Python package. */
export interface PythonServer {
  readonly name: string;
  /** With exact versions. */
  readonly packages: readonly string[];
  /** False where the package works without what it declares. @default true */
  readonly dependencies?: boolean | undefined;
}

/** The commands that install it, for people. */
export function installCommands({ name, packages, dependencies = true }: PythonServer): string {
  return `python3 -m venv .stores/${name} && .stores/${name}/bin/pip install ${dependencies ? '' : '--no-deps '}${packages.join(' ')}`;
}

/**
 * Installs it unless it is there in these very versions, and resolves with the folder of its programs.
 * @throws Error with the installer's words
 */
export async function installPythonServer(server: PythonServer): Promise<string> {
  const folder = join(STORES, server.name);
  const done = join(folder, `installed-${server.packages.join('-').replaceAll('==', '-')}`);
  const bin = join(folder, 'bin');
  if (existsSync(done)) return bin;
  await rm(folder, { recursive: true, force: true });
  await mkdir(STORES, { recursive: true });
  await run('python3', ['-m', 'venv', folder]);
  const flags = server.dependencies === false ? ['--no-deps'] : [];
  await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...flags, ...server.packages], {
    timeout: 600_000,
  });
  await writeFile(done, '');
  return bin;
}
