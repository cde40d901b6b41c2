import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRagError, RagError } from '../../core/errors.js';

export interface ReplaceOptions {
  /** What the file held when it was read; undefined: it was not there. */
  readonly before: string | undefined;
  readonly after: string;
  /** Names the backup. */
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** A file's text, undefined where there is none. @throws RagError FORBIDDEN · INPUT_INVALID (not a file, not UTF-8) */
export async function readText(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new RagError('INPUT_INVALID', `${file}: is not UTF-8; it is untouched`);
    throw failed(file, 'read', error);
  }
}

/**
 * Gives a file another text, as one step: whoever reads it finds the old text or the new one, also when this process dies. What was
 * there is kept beside it. A symbolic link stays one.
 * @returns the backup's path; undefined where there was nothing to keep
 * @throws RagError FORBIDDEN (no permission) · INPUT_INVALID (somebody else wrote it meanwhile) · `signal.reason`
 */
export async function replaceFile(file: string, { before, after, now, signal }: ReplaceOptions): Promise<string | undefined> {
  let temporary: string | undefined;
  try {
    const target = before === undefined ? file : await realpath(file);
    if (before === undefined) await mkdir(dirname(target), { recursive: true });
    // A rename asks for the folder's permission only: a file that was made read-only is so on purpose.
    else await access(target, constants.W_OK);
    signal.throwIfAborted();
    temporary = `${target}.${randomUUID()}.tmp`;
    // Such files hold keys of other servers: nobody gets to read them who couldn't before.
    await writeDurably(temporary, after, before === undefined ? 0o600 : (await stat(target)).mode);
    signal.throwIfAborted();
    if ((await readText(file)) !== before) {
      throw new RagError(
        'INPUT_INVALID',
        `${file}: was changed by another program just now; run this again. The file is untouched.`,
      );
    }
    const backup = before === undefined ? undefined : `${target}.backup-${now.toISOString().replace(/[-:.]/g, '')}`;
    if (backup !== undefined) await copyFile(target, backup, constants.COPYFILE_EXCL);
    await rename(temporary, target);
    return backup;
  } catch (error) {
    if (signal.aborted || isRagError(error)) throw error;
    throw failed(file, 'written', error);
  } finally {
    if (temporary !== undefined) await rm(temporary, { force: true });
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode & 0o777);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function failed(file: string, what: string, error: unknown): RagError {
  const advice = 'show the entry with --print and put it in yourself, or name another file with --file';
  return new RagError('FORBIDDEN', `${file}: can't be ${what} (${codeOf(error) ?? String(error)}); ${advice}`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
