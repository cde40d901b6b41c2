import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface RootSources {
  /** `--root`, and the folders that the server was started for. */
  readonly configured: readonly string[];
  /** What the client opens; empty over a network. */
  readonly client: readonly string[];
  readonly workingFolder: string;
  readonly home: string;
}

/**
 * The folders that `ingest` may read from: those configured and the client's own. With neither, the working folder, unless that is `/`,
 * a drive or the home folder: hosts start servers there, and nobody chose it. Empty: no file may be read.
 */
export function resolveRoots({ configured, client, workingFolder, home }: RootSources): readonly string[] {
  const named = [...new Set([...configured, ...client])];
  if (named.length > 0) return named;
  const tooWide = workingFolder === parse(workingFolder).root || workingFolder === home;
  return tooWide ? [] : [workingFolder];
}

/** The folder of a client's root; undefined for what is no local folder (another scheme, another host). */
export function folderOfRoot(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // the URL class and fileURLToPath throw for everything that isn't a path of this machine
  }
}
