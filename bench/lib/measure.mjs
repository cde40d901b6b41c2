import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Milliseconds of wall and of CPU (all threads) that `work` took, with its value. */
export async function measure(work) {
  const cpuBefore = process.cpuUsage();
  const wallBefore = performance.now();
  const value = await work();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { value, wallMs: performance.now() - wallBefore, cpuMs: (user + system) / 1000 };
}

export function percentile(values, share) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values) {
  return percentile(values, 0.5);
}

/** CPU ms that another process has used so far, over all its threads; Linux only, else NaN. */
export function cpuMsOf(pid) {
  try {
    const nanoseconds = readdirSync(`/proc/${pid}/task`).map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Bytes of this process that no file stands for; Linux only, else NaN. */
export function anonymousMemory() {
  try {
    return 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/**
 * Runs one step of a bench in a process of its own, so that what one leaves behind in memory doesn't slow the next: `node FILE NAME …`, with
 * `gc()` at hand. It prints its result as JSON.
 */
export function runStep(url, name, ...args) {
  const child = spawnSync(process.execPath, ['--expose-gc', fileURLToPath(url), name, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`${name} ended with ${child.status}`);
  return JSON.parse(child.stdout);
}

/** Prints rows of texts and numbers as a table. */
export function table(head, rows) {
  const text = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...text.map((row) => row[column]?.length ?? 0)));
  for (const row of text)
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
    );
}
