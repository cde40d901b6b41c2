import { describe, expect, it } from 'vitest';
import { renderHits } from '../../src/cli/hits.js';
import { createProgressBar, renderProgress } from '../../src/cli/progress.js';
import { columnsOf, createStyle, cut, table, wrap } from '../../src/cli/terminal.js';
import { fakeHost } from './fake-host.js';

const hit = {
  id: 'h',
  documentId: 'guide.md',
  uri: 'guide.md',
  text: 'The line\u001b[2J is\n 40 metres long.',
  score: 0.51234,
  group: 'default',
  span: [0, 10] as const,
  location: { lines: [12, 14] as const, headings: ['Guide', 'Line'] },
  metadata: {},
};

describe('text', () => {
  it('counts, cuts and wraps by columns', () => {
    expect(columnsOf('añe\u0301')).toBe(3);
    expect(columnsOf('日本')).toBe(4);
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('日本語', 5)).toBe('日本…');
    expect(wrap('one two  three\nfour', 9, 5)).toEqual(['one two', 'three', 'four']);
    expect(wrap('one two three four', 9, 2)).toEqual(['one two', 'three fo…']);
    expect(wrap('abcdefghij', 4, 5)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('', 10, 3)).toEqual([]);
    expect(
      table(
        [
          ['a', '1'],
          ['bcd', '22'],
        ],
        80,
        [1],
      ),
    ).toBe('a     1\nbcd  22\n');
  });

  it('defuses control characters on a terminal only, and colours only where they are wanted', () => {
    const terminal = fakeHost({ terminal: 60 }).host;
    expect(createStyle(terminal, terminal.stdout).foreign('a\u001b[2J\n\tb\u009b')).toBe('a·[2J\n\tb·');
    expect(createStyle(terminal, terminal.stdout).bold('x')).toBe('\u001b[1mx\u001b[0m');
    const plain = fakeHost({ terminal: 60, env: { NO_COLOR: '1' } }).host;
    expect(createStyle(plain, plain.stdout).bold('x')).toBe('x');
    const pipe = fakeHost().host;
    expect(createStyle(pipe, pipe.stdout).foreign('a\u001b[2J')).toBe('a\u001b[2J');
    expect(createStyle(pipe, pipe.stdout).dim('x')).toBe('x');
  });
});

describe('hits', () => {
  it('show number, place, headings, score and passage', () => {
    const { host } = fakeHost({ terminal: 60, env: { NO_COLOR: '1' } });
    expect(renderHits([hit], host.stdout, createStyle(host, host.stdout))).toBe(
      '1. guide.md:12-14 Guide › Line  0.512\n   The line·[2J is 40 metres long.\n',
    );
    expect(renderHits([], host.stdout, createStyle(host, host.stdout))).toBe('No hits.\n');
  });
});

describe('the progress bar', () => {
  const event = { phase: 'ingesting', done: 6, total: 12, chunks: 1830, uri: 'guide.md' } as const;

  it('redraws one line on a terminal, not faster than it is seen, and clears it', () => {
    const { host, written } = fakeHost({ terminal: 80 });
    let now = 0;
    const bar = createProgressBar(host.stderr, () => now);
    bar.update(event);
    now += 10;
    bar.update({ ...event, done: 7 });
    expect(written.stderr).toBe(`\r${renderProgress(event, 79)}`);
    expect(written.stderr).toContain('6/12 · 1,830 chunks · guide.md');
    bar.end();
    expect(written.stderr.endsWith(' \r')).toBe(true);
  });

  it('writes nothing anywhere else', () => {
    const { host, written } = fakeHost();
    const bar = createProgressBar(host.stderr);
    bar.update(event);
    bar.end();
    expect(written.stderr).toBe('');
  });
});
