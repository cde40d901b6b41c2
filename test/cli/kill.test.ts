import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRag } from '../../src/sdk/index.js';
import { makeFolder } from '../support/folder.js';

const BIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const FILES = 600;

describe('an ingest that is killed', () => {
  it('leaves every document whole or absent, and is finished by the next one', { timeout: 120_000 }, async () => {
    expect(existsSync(BIN), 'run `npm run build` first').toBe(true);
    const text = (index: number) =>
      Array.from({ length: 40 }, (_, line) => `Line ${line} of document ${index}, about subject ${(index * line) % 97}.`).join(
        '\n',
      );
    const names = Array.from({ length: FILES }, (_, index) => `${String(index).padStart(4, '0')}.txt`);
    const folder = makeFolder(Object.fromEntries(names.map((name, index) => [name, text(index)])));
    const path = makeFolder();

    let rounds = 0;
    let present = 0;
    for (const wanted of [1, 200, 400]) {
      await ingestUntil(folder, path, wanted);
      rounds++;
      const rag = await openRag({ store: { type: 'memory', path } });
      const { documents } = await rag.documents.list({ limit: 1000 });
      expect(documents.length).toBeGreaterThanOrEqual(present);
      present = documents.length;
      for (const { id, chunks } of documents) {
        expect((await rag.documents.read(id)).text).toBe(readFileSync(join(folder, id), 'utf8'));
        expect(chunks).toBe(documents[0]?.chunks);
      }
      await rag.close();
    }
    expect(rounds).toBe(3);
    expect(present).toBeGreaterThan(0);
    expect(present).toBeLessThan(FILES); // else nothing was killed half-way

    const rag = await openRag({ store: { type: 'memory', path } });
    const report = await rag.ingest([folder]);
    expect(report).toMatchObject({ added: FILES - present, unchanged: present, changed: 0, failed: [] });
    await rag.close();
  });
});

/** Starts the ingest in a process of its own, and kills that without warning once the store holds this many documents. */
async function ingestUntil(folder: string, path: string, documents: number): Promise<void> {
  const child = spawn(process.execPath, [BIN, 'ingest', folder, '--path', path, '--json'], { stdio: 'ignore' });
  const ended = new Promise((resolvePromise) => child.once('exit', resolvePromise));
  const watcher = await openRag({ store: { type: 'memory', path } });
  for (;;) {
    const there = await watcher.documents.list({ limit: 1000 }).catch(() => ({ documents: [] }));
    if (there.documents.length >= documents || child.exitCode !== null) break;
    await new Promise((resolvePromise) => setImmediate(resolvePromise)); // the child's exit is news of the event loop
  }
  child.kill('SIGKILL');
  await ended;
  await watcher.close();
}
