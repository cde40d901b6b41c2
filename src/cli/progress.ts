import type { IngestProgress } from '../core/types.js';
import type { Screen } from './host.js';
import { columnsOf, cut } from './terminal.js';

/** Faster than this nobody sees it. */
const INTERVAL_MS = 80;
const BAR_COLUMNS = 24;

/** What any long work tells of itself. */
export interface Progress extends Omit<IngestProgress, 'phase'> {
  readonly phase: string;
}

export interface ProgressBar {
  readonly update: (event: Progress) => void;
  /** Clears its line, so that what follows begins on an empty one. */
  readonly end: () => void;
}

/** One line that redraws itself on a terminal; nothing anywhere else. */
export function createProgressBar(screen: Screen, clock: () => number = () => performance.now()): ProgressBar {
  if (!screen.isTerminal) return { update: () => {}, end: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = 0;
  const draw = (line: string) => {
    screen.write(`\r${line}${' '.repeat(Math.max(0, drawn - columnsOf(line)))}`);
    drawn = columnsOf(line);
  };
  return {
    update(event) {
      const now = clock();
      if (now - drawnAt < INTERVAL_MS) return;
      drawnAt = now;
      draw(renderProgress(event, screen.columns - 1));
    },
    end() {
      if (drawn > 0) screen.write(`\r${' '.repeat(drawn)}\r`);
      drawn = 0;
    },
  };
}

/** @example 'ingesting ██████░░░░░░ 120/400 · 1,830 chunks · guide.md' */
export function renderProgress({ phase, done, total, chunks, uri }: Progress, columns: number): string {
  const filled = total === 0 ? 0 : Math.round((Math.min(done, total) / total) * BAR_COLUMNS);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_COLUMNS - filled)}`;
  const file = uri === undefined ? '' : ` · ${uri.replace(/\p{Cc}/gu, '·')}`;
  return cut(`${phase} ${bar} ${done}/${total} · ${chunks.toLocaleString('en')} chunks${file}`, columns);
}
