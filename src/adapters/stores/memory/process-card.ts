import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What tells a process from all others, also from a later one with its number. */
export interface ProcessCard {
  readonly pid: number;
  readonly host: string;
  /** When the machine was started: its random id. Linux only. */
  readonly boot?: string | undefined;
  /** In what numbering of processes the number holds: containers have their own. Linux only. */
  readonly space?: string | undefined;
  /** When the process was started, in ticks since the machine was. Linux only. */
  readonly started?: string | undefined;
}

let own: ProcessCard | undefined;

/** This process. */
export function describeProcess(): ProcessCard {
  own ??= {
    pid: process.pid,
    host: hostname(),
    boot: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    space: textOf(() => readlinkSync('/proc/self/ns/pid')),
    started: statusOf(process.pid)?.started,
  };
  return own;
}

/** Whether a process still runs; undefined where that can't be known from here. */
export function isRunning(card: ProcessCard): boolean | undefined {
  const here = describeProcess();
  if (card.host !== here.host) return undefined;
  if (card.boot !== here.boot) return false;
  if (card.space !== here.space) return undefined;
  try {
    process.kill(card.pid, 0);
  } catch (error) {
    // Another user's process can't be signalled, and is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // `kill` throws nothing else
  }
  const status = statusOf(card.pid);
  // A killed process keeps its number until its parent has asked for its end.
  return status === undefined || (status.started === card.started && !/[ZX]/.test(status.state));
}

function statusOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  const text = textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  // The name, in brackets, may hold anything; the state is the field after it, the start the twentieth.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? '' };
}

function textOf(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
