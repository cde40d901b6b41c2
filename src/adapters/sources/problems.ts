import { messageOf, RagError } from '../../core/errors.js';

/** What the system said, in our codes. `uri` names the file or folder. */
export function problemOf(uri: string, cause: unknown): RagError {
  switch (codeOf(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new RagError('NOT_FOUND', `${uri} is not there`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new RagError('FORBIDDEN', `${uri} can't be read: no permission`, { cause });
    default:
      return new RagError('INPUT_INVALID', `${uri} can't be read: ${messageOf(cause)}`, { cause });
  }
}

/** A file that reading would wait on for ever, or that has no content. */
export function specialFile(uri: string): RagError {
  return new RagError('INPUT_INVALID', `${uri} is neither a file nor a folder (a pipe, socket or device): it is not opened`);
}

/** The system's name of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
