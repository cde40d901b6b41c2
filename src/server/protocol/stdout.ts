import { stderr, stdout } from 'node:process';
import { Writable } from 'node:stream';

export interface ClaimedStdout {
  /** Writes to the real stdout. */
  readonly stream: Writable;
  /** Gives stdout back to everyone. */
  readonly release: () => void;
}

/**
 * Takes stdout for the protocol alone: whatever else is written to it from now on (a library's `console.log`) goes to stderr, because one
 * stray line breaks the client's connection.
 */
export function claimStdout(): ClaimedStdout {
  const original = stdout.write;
  const write = original.bind(stdout);
  // A client that is gone shows as the failure of a write, which the stream below passes on; unheard, it would end the process as well.
  const ignoreError = () => {};
  stdout.on('error', ignoreError);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write; // bind keeps only the last of write's overloads
  const stream = new Writable({ decodeStrings: false, write: (chunk, encoding, done) => write(chunk, encoding, done) });
  return {
    stream,
    release() {
      stdout.write = original;
      stdout.off('error', ignoreError);
    },
  };
}
