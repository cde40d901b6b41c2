import { stderr, stdout } from 'node:process';
import { afterEach, expect, it, vi } from 'vitest';
import { claimStdout } from '../../src/server/protocol/stdout.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('stdout is the protocol’s alone until it is released', async () => {
  const out: string[] = [];
  const err: string[] = [];
  const record = (lines: string[]) => (chunk: unknown, _encoding?: unknown, done?: unknown) => {
    lines.push(String(chunk));
    if (typeof done === 'function') done();
    return true;
  };
  const original = vi.spyOn(stdout, 'write').mockImplementation(record(out));
  vi.spyOn(stderr, 'write').mockImplementation(record(err));

  const { stream, release } = claimStdout();
  stdout.write('a library prints');
  await new Promise((resolve) => stream.write('{"jsonrpc":"2.0"}\n', resolve));
  release();
  stdout.write('after');

  expect(out).toEqual(['{"jsonrpc":"2.0"}\n', 'after']);
  expect(err).toEqual(['a library prints']);
  expect(stdout.write).toBe(original);
});
