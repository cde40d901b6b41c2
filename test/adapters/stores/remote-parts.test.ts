import { describe, expect, test } from 'vitest';
import { createCalls } from '../../../src/adapters/stores/remote/calls.js';
import { toExactJson } from '../../../src/adapters/stores/remote/json.js';
import { tableName } from '../../../src/adapters/stores/remote/names.js';
import { ownersOf, rowIdOf, stampOfRowId } from '../../../src/adapters/stores/remote/row-id.js';
import { createWriterWatch, settledVersion } from '../../../src/adapters/stores/remote/writers.js';
import { RagError } from '../../../src/core/errors.js';
import { chunkId } from '../../../src/core/ids.js';

describe('names of tables', () => {
  const rules = { plain: /^[a-z0-9][a-z0-9-]{1,40}[a-z0-9]$/, allowed: /[a-z0-9-]/, filler: '-' };

  test('stay as they are where the server takes them', () => {
    expect(tableName('my-notes', rules)).toBe('my-notes');
  });

  test('are escaped where it does not, each to a name of its own', () => {
    const awkward = ['a', 'My notes', 'my/notes', '你好', 'x'.repeat(600), '-a-', ''];
    const names = awkward.map((name) => tableName(name, rules));
    expect(new Set(names).size).toBe(awkward.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]{3,80}$/);
  });

  test('never meet the escaped name of another', () => {
    const escaped = tableName('My notes', rules);
    expect(tableName(escaped, rules)).not.toBe(escaped);
  });
});

describe('row ids', () => {
  test('hold their stamp and differ by chunk and stamp', () => {
    const stamp = { writer: '9f2c41d07be3', seq: 5 };
    expect(stampOfRowId(rowIdOf('a', stamp))).toEqual(stamp);
    expect(rowIdOf('a', stamp)).not.toBe(rowIdOf('b', stamp));
    expect(rowIdOf('a', stamp)).not.toBe(rowIdOf('a', { ...stamp, seq: 7 }));
    expect(rowIdOf('x'.repeat(5000), stamp)).toMatch(/^[a-z0-9.]{1,64}$/);
  });

  test('the owner of a chunk is found though documents and groups hold the separators', () => {
    const document = (id: string, hash: string) => ({ id, hash, chunks: 1, stamp: { writer: 'w', seq: 1 } });
    const known = [document('a#b/c', 'a'.repeat(64)), document('a', 'b'.repeat(64))];
    const find = (id: string) => known.find((entry) => entry.id === id);
    expect(ownersOf(chunkId('a#b/c', 'a'.repeat(64), 'x#y/z', 3), find)).toEqual([known[0]]);
    expect(ownersOf(chunkId('a', 'b'.repeat(64), 'x#y/z', 3), find)).toEqual([known[1]]);
    expect(ownersOf(chunkId('a', 'c'.repeat(64), 'default', 3), find)).toEqual([]);
    expect(ownersOf('nonsense', find)).toEqual([]);
  });
});

test('JSON keeps -0, and texts that look like its stand-in', () => {
  const value = { text: '-0', metadata: { a: -0, b: [0, -0], c: '-0', d: 0 } };
  const read: unknown = JSON.parse(toExactJson(value));
  expect(read).toEqual(value);
});

describe('the watch over writers', () => {
  const row = (writer: string, seq: number) => ({ writer, seq, at: 0 });

  test('takes a raised writer for active until it was silent for a minute', () => {
    let now = 0;
    const watch = createWriterWatch(() => now);
    expect(watch.active([row('a', 1), row('b', 2)])).toEqual(new Set(['a']));
    now = 50_000;
    expect(watch.active([row('a', 3), row('b', 2)])).toEqual(new Set(['a']));
    now = 100_000;
    expect(watch.active([row('a', 3)])).toEqual(new Set(['a']));
    now = 120_000;
    expect(watch.active([row('a', 3)])).toEqual(new Set());
    expect(watch.active([row('a', 4)])).toEqual(new Set());
  });

  test('the version hangs on the rows, not on their order', () => {
    expect(settledVersion([row('a', 2), row('b', 4)])).toBe(settledVersion([row('b', 4), row('a', 2)]));
    expect(settledVersion([row('a', 2)])).not.toBe(settledVersion([row('a', 4)]));
  });
});

describe('calls to a server', () => {
  const calls = createCalls({
    adapter: 'fake',
    address: 'fake://here',
    timeoutMs: 20,
    translate: (error, action) =>
      error instanceof TypeError ? new RagError('UNAUTHORIZED', action, { cause: error }) : undefined,
  });

  test('end with TIMEOUT when the server does not answer', async () => {
    await expect(calls('search', () => new Promise(() => {}), undefined)).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
    });
  });

  test('translate errors, keep their cause, and leave ours alone', async () => {
    const ours = new RagError('NOT_FOUND', 'gone');
    const theirs = new TypeError('no');
    await expect(calls('search', () => Promise.reject(ours), undefined)).rejects.toBe(ours);
    await expect(calls('search', () => Promise.reject(theirs), undefined)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      cause: theirs,
    });
    await expect(calls('search', () => Promise.reject(new Error('odd')), undefined)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining('odd'),
    });
  });

  test('reject with the signal’s reason, before or during the call', async () => {
    const reason = new Error('enough');
    await expect(calls('search', async () => 1, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = calls('search', () => new Promise(() => {}), controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
