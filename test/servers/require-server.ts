import { messageOf } from '../../src/core/errors.js';

/** A kind of server that tests can start. */
export interface ServerKind<Server> {
  /** As HOTRAG_TEST names it. */
  readonly name: string;
  /** How to get it by hand, for the message. */
  readonly instructions: string;
  /** Fetches it where it is not there yet. */
  readonly prepare: () => Promise<Server>;
}

/** Either the means to start a server, or why the suite can't run: `describe.skipIf(server.skipped)(server.title, …)`. */
export type RequiredServer<Server> =
  | { readonly skipped: false; readonly title: string; readonly server: Server }
  | { readonly skipped: true; readonly title: string; readonly server: undefined };

/**
 * What every server suite calls first. `HOTRAG_TEST=milvus,chroma` narrows the run to these; a server that is not to be had skips
 * its suite under a title that says so and how to get it, except on CI, where that fails.
 * @throws Error where `CI=true` and the server is not to be had
 */
export async function requireServer<Server>(kind: ServerKind<Server>): Promise<RequiredServer<Server>> {
  const wanted = process.env.HOTRAG_TEST;
  if (wanted !== undefined && wanted !== '' && !wanted.split(',').includes(kind.name)) {
    return { skipped: true, title: `${kind.name}: left out by HOTRAG_TEST`, server: undefined };
  }
  try {
    return { skipped: false, title: kind.name, server: await kind.prepare() };
  } catch (error) {
    const title = `${kind.name}: SKIPPED, not to be had here (${messageOf(error).split('\n', 1)[0]}). Get it with: ${kind.instructions}`;
    if (process.env.CI === 'true') throw new Error(title, { cause: error });
    process.stderr.write(`${title}\n`);
    return { skipped: true, title, server: undefined };
  }
}
