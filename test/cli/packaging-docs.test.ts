import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { ERROR_CODES } from '../../src/core/errors.js';

const DOCS = resolve(import.meta.dirname, '../../docs');
const read = (name: string) => readFileSync(join(DOCS, name), 'utf8');

describe('docs/troubleshooting.md', () => {
  it('has a section for every error code, and says whether to try again', () => {
    const text = read('troubleshooting.md');
    const sections = [...text.matchAll(/^## ([A-Z_]+)$/gm)].map(([, code]) => code);
    expect(sections).toEqual(Object.keys(ERROR_CODES));
    for (const [code, { retryable }] of Object.entries(ERROR_CODES)) {
      expect(text).toContain(`| [${code}](#${code.toLowerCase()}) | ${retryable ? 'yes' : 'no'} |`);
      const section = text.split(`\n## ${code}\n`)[1]?.split('\n## ')[0] ?? '';
      expect(section, code).toMatch(/^- \S/m);
    }
  });
});

describe.each(['quick-start.md', 'cli.md', 'troubleshooting.md', '../README.md'])('the command lines of docs/%s', (name) => {
  const lines = [...read(name).matchAll(/(?:^|`)hotrag ([^`\n]*)/gm)].flatMap(([, line]) => line ?? []);
  it('are ones that hotrag takes', async () => {
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const words = wordsOf(line);
      const entry = COMMANDS.find(({ name }) => words.slice(0, name.split(' ').length).join(' ') === name);
      if (entry === undefined && /^(?:<|[A-Z:]|--)/.test(line)) continue; // a pattern, or what it prints
      expect(entry, line).toBeDefined();
      const { command } = (await entry?.load()) ?? {};
      const rest = words.slice(entry?.name.split(' ').length).filter((word) => word !== '…');
      expect(() => readArguments(rest, command?.flags ?? {}, ''), line).not.toThrow();
    }
  });
});

/** The words of a shell's line, up to a pipe. */
function wordsOf(line: string): readonly string[] {
  const words = line.split(' | ')[0]?.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g) ?? [];
  return [...words].map(([, single, double, plain]) => single ?? double ?? plain ?? '');
}
