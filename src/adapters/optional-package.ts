import { messageOf, RagError } from '../core/errors.js';

/** A package that users install themselves, because few need it and it is large. */
export interface OptionalPackage {
  readonly name: string;
  /** Exactly what to type. @example 'npm install node-llama-cpp@3.22.1' */
  readonly install: string;
  /** What needs it, for messages. @example 'llama-cpp' */
  readonly adapter: string;
}

/**
 * Imports a package that may not be there. Its types are the caller's word, because hotrag itself never has it installed.
 * @throws RagError DEPENDENCY_MISSING with the line that installs it, or with why it can't be loaded
 */
export async function importOptional({ name, install, adapter }: OptionalPackage): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    const problem = isAbsent(cause, name)
      ? 'which is not installed beside hotrag'
      : `which can't be loaded (${messageOf(cause)})`;
    throw new RagError('DEPENDENCY_MISSING', `${adapter} needs the package ${name}, ${problem}: ${install}`, { adapter, cause });
  }
}

/** The package itself is absent, and not something that it imports. */
function isAbsent(error: unknown, name: string): boolean {
  return (
    error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`)
  );
}
