import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWatcher } from '../../src/adapters/sources/watcher.js';
import type { IngestReport } from '../../src/core/types.js';
import { makeFolder, writeIn } from '../support/folder.js';
import { openTestRag } from '../support/rag.js';

async function watching(sources: string | readonly string[], options: { readonly prune?: boolean } = {}) {
  const rag = await openTestRag();
  const reports = rag.watch(sources, options)[Symbol.asyncIterator]();
  onTestFinished(async () => {
    await rag.close();
  });
  return { rag, next: async (): Promise<IngestReport> => (await reports.next()).value, reports };
}

describe('watch', () => {
  it('reports the state at the start, then each change: new, replaced, gone', async () => {
    const folder = makeFolder({ 'a.md': 'alpha' });
    const { next, rag } = await watching([folder]);
    expect(await next()).toMatchObject({ added: 1 });
    writeIn(folder, 'deep/er/b.md', 'beta');
    expect(await next()).toMatchObject({ added: 1, unchanged: 1 });
    writeIn(folder, 'new.tmp', 'gamma');
    renameSync(join(folder, 'new.tmp'), join(folder, 'a.md')); // as editors save
    expect(await next()).toMatchObject({ changed: 1, removed: 0 });
    rmSync(join(folder, 'deep'), { recursive: true });
    expect(await next()).toMatchObject({ removed: 1 });
    expect((await rag.search('gamma', { mode: 'keyword' })).hits).toHaveLength(1);
  });

  it('keeps what vanished when told not to prune', async () => {
    const folder = makeFolder({ 'a.md': 'alpha', 'b.md': 'beta' });
    const { next, rag } = await watching([folder], { prune: false });
    await next();
    rmSync(join(folder, 'b.md'));
    writeIn(folder, 'a.md', 'other');
    expect(await next()).toMatchObject({ changed: 1, removed: 0 });
    expect((await rag.documents.list()).documents).toHaveLength(2);
  });

  it('says nothing of changes that alter nothing, and doesn’t look into what ingest passes over', async () => {
    const folder = makeFolder({ 'a.md': 'alpha', '.git/config': 'x', 'node_modules/m/index.js': 'x' });
    const { next } = await watching([folder]);
    await next();
    writeIn(folder, '.git/config', 'y');
    writeIn(folder, 'node_modules/m/index.js', 'y');
    writeIn(folder, 'a.md', 'alpha');
    writeIn(folder, 'b.md', 'beta');
    expect(await next()).toMatchObject({ added: 1, changed: 0, unchanged: 1 });
  });

  it('ends when the engine is closed, and when the caller aborts', async () => {
    const folder = makeFolder({ 'a.md': 'alpha' });
    const { next, rag } = await watching([folder]);
    await next();
    const waiting = next();
    await rag.close();
    await expect(waiting).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const controller = new AbortController();
    const changes = createWatcher().changes([folder], { signal: controller.signal })[Symbol.asyncIterator]();
    await changes.next();
    const next2 = changes.next();
    controller.abort(new Error('enough'));
    await expect(next2).rejects.toThrow('enough');
  });

  it('follows a single file that is written anew', async () => {
    const folder = makeFolder({ 'a.md': 'alpha', 'b.md': 'beta' });
    const { next } = await watching([join(folder, 'a.md')]);
    expect(await next()).toMatchObject({ added: 1 });
    writeIn(folder, 'a.md', 'other');
    expect(await next()).toMatchObject({ changed: 1 });
  });
});
