import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RagError } from '../../core/errors.js';
import type { EngineLoad, EngineLoadRow } from '../../sdk/bench-engine.js';
import { defineCommand } from '../command.js';
import { renderPlots } from '../plot.js';
import { createStyle } from '../terminal.js';

const HEAD = ['at once', 'TTFT ms', 'p95', 'TPOT ms', 'tokens/s', 'failed'] as const;

/** `hotrag bench engine`: TTFT, TPOT and throughput of the configured engine against how many ask at once. */
export const command = defineCommand({
  usage: '',
  takes: { least: 0, most: 0 },
  flags: {
    concurrency: { kind: 'list', value: 'N', describe: 'How many ask at once; may be repeated. Default: 1, 4, 16 and 32.' },
    requests: { kind: 'number', describe: 'Requests of each level. Default: 32.' },
    'max-tokens': { kind: 'number', describe: 'Longest answer, in tokens. Default: 128.' },
    plot: { kind: 'text', value: 'FILE.svg', describe: 'Draw the result into this file.' },
  },
  examples: [
    'hotrag bench engine',
    'hotrag bench engine --generator-model qwen3:4b --plot engine.svg',
    'hotrag bench engine --concurrency 1 --concurrency 8 --json',
  ],
  async run({ host, flags, json, settings }) {
    const levels = flags.concurrency?.map((text) => levelOf(text));
    const { generator } = await settings.check();
    const { benchEngine } = await import('../../sdk/bench-engine.js');
    const { stdout, stderr } = host;
    const style = createStyle(host, stdout);
    if (!json) stdout.write(`${style.bold(line(HEAD))}\n`);
    const load = await benchEngine(
      { generator },
      {
        levels,
        requests: wholeNumber('--requests', flags.requests),
        maxTokens: wholeNumber('--max-tokens', flags['max-tokens']),
        onLevel: (row) => json || stdout.write(`${line(cellsOf(row))}\n`),
        signal: host.signal,
      },
    );
    if (json) stdout.write(`${JSON.stringify(load)}\n`);
    for (const { failure, concurrency } of load.rows) {
      if (failure !== undefined) stderr.write(style.foreign(`at ${concurrency} at once: ${failure}\n`));
    }
    if (flags.plot !== undefined) {
      await writeFile(resolve(host.cwd, flags.plot), renderPlots(plotsOf(load)));
      stderr.write(`drawn into ${flags.plot}\n`);
    }
    return load.rows.some(({ failed }) => failed > 0) ? 1 : 0;
  },
});

function levelOf(text: string): number {
  return wholeNumber('--concurrency', Number(text)) ?? 1;
}

function wholeNumber(flag: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 1024)) return value;
  throw new RagError('INPUT_INVALID', `${flag}: a whole number from 1 to 1024 is needed, not ${value}`);
}

function cellsOf({ concurrency, ttftMs, ttftP95Ms, tpotMs, tokensPerSecond, failed }: EngineLoadRow): readonly string[] {
  const round = (value: number | null, digits = 0) => (value === null ? '–' : value.toFixed(digits));
  return [String(concurrency), round(ttftMs), round(ttftP95Ms), round(tpotMs, 1), round(tokensPerSecond, 1), String(failed)];
}

function line(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(9)).join('');
}

function plotsOf({ engine, model, rows }: EngineLoad) {
  const points = (pick: (row: EngineLoadRow) => number | null) =>
    rows.flatMap((row) => {
      const value = pick(row);
      return value === null ? [] : [[row.concurrency, value] as const];
    });
  const x = 'requests at once';
  return [
    {
      title: `${engine} ${model}: time to first token`,
      x,
      y: 'ms',
      series: [
        { name: 'median', points: points(({ ttftMs }) => ttftMs) },
        { name: 'p95', points: points(({ ttftP95Ms }) => ttftP95Ms) },
      ],
    },
    { title: 'time per output token', x, y: 'ms', series: [{ name: 'median', points: points(({ tpotMs }) => tpotMs) }] },
    {
      title: 'throughput, all together',
      x,
      y: 'tokens/s',
      series: [{ name: 'tokens per second', points: points(({ tokensPerSecond }) => tokensPerSecond) }],
    },
  ];
}
