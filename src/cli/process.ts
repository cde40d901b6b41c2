import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import * as z from 'zod';
import type { Screen } from './host.js';
import { runProgram } from './program.js';

/** Width of text where no terminal tells one. */
const DEFAULT_COLUMNS = 100;

/** Runs the command that this process was started with, and ends it: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
export async function runProcess(): Promise<void> {
  // Compiling a schema to code pays after hundreds of uses; a command, or a server's first answer, is over sooner.
  z.config({ jitless: true });
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second time the user is in earnest: no more waiting for work to end well.
    process.on(signal, () => (controller.signal.aborted ? process.exit(130) : controller.abort(signal)));
  }
  let readerLeft = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `| head` has seen enough. Nobody is left to tell, and nothing went wrong.
    readerLeft = error.code === 'EPIPE';
    controller.abort(error);
  });
  process.stderr.on('error', () => {}); // no place is left to tell it
  const status = await runProgram(process.argv.slice(2), {
    cwd: process.cwd(),
    home: homedir(),
    platform: process.platform,
    env: process.env,
    stdout: screenOf(process.stdout),
    stderr: screenOf(process.stderr, () => !readerLeft),
    signal: controller.signal,
  });
  // Pipes are written in the background: exit when they are out.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(readerLeft ? 0 : status)));
}

function screenOf(stream: WriteStream, wanted = () => true): Screen {
  return {
    write(text) {
      if (wanted()) stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns ?? DEFAULT_COLUMNS;
    },
  };
}
