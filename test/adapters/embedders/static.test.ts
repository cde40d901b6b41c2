import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assetPath, findPackageRoot } from '../../../src/adapters/assets.js';
import { createStaticEmbedder } from '../../../src/adapters/embedders/static.js';
import { cosine, embedderContract } from '../../contracts/embedder-contract.js';

const model = assetPath('models', 'static-en-256');

embedderContract('static', () => createStaticEmbedder(), {
  near: ['How long does the battery last?', 'The battery life of this phone is about two days.'],
  far: 'Parliament voted on the budget for agriculture.',
});

describe('static embedder', () => {
  it('ships the files that model.json describes', async () => {
    const { sha256 } = JSON.parse(await readFile(join(model, 'model.json'), 'utf8'));
    expect(Object.keys(sha256)).toHaveLength(3);
    for (const [name, expected] of Object.entries(sha256)) {
      expect(
        createHash('sha256')
          .update(await readFile(join(model, name)))
          .digest('hex'),
      ).toBe(expected);
    }
  });

  it('ships the notice and the licence with them', async () => {
    expect(await readFile(join(model, 'LICENSE-NOTICE.txt'), 'utf8')).toContain('all-MiniLM-L6-v2');
    expect(await readFile(join(model, 'LICENSE-APACHE-2.0'), 'utf8')).toContain('Version 2.0, January 2004');
  });

  it('sums the rows of the tokens and normalises', async () => {
    const vocabulary = (await readFile(join(model, 'vocab.txt'), 'utf8')).split('\n');
    const table = await readFile(join(model, 'table.i8.bin'));
    const scales = await readFile(join(model, 'scales.f32.bin'));
    const rows = ['hello', 'world', '!', 'hello'].map((token) => vocabulary.indexOf(token));
    const sum = Float32Array.from({ length: 256 }, (_, k) =>
      rows.reduce((total, row) => total + table.readInt8(row * 256 + k) * scales.readFloatLE(row * 4), 0),
    );
    const [vector] = await createStaticEmbedder().embed(['Hello world! HELLO']);
    expect(cosine(vector, sum)).toBeCloseTo(1, 6);
    expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 6);
  });

  it('gives a text without tokens the zero vector', async () => {
    const vectors = await createStaticEmbedder().embed(['', ' \n', '\u0000\u200b']);
    for (const vector of vectors) expect(vector.every((value) => value === 0)).toBe(true);
  });

  it('gives the event loop its turns while it reads a long text, and stops when aborted', async () => {
    const embedder = createStaticEmbedder();
    await embedder.embed(['warm']);
    const controller = new AbortController();
    let turns = 0;
    const count = () => {
      if (++turns === 3) controller.abort(new Error('enough'));
      else setImmediate(count);
    };
    setImmediate(count);
    await expect(embedder.embed(['words and more words '.repeat(500_000)], { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });
});

describe('static embedder with a broken model', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrag-model-'));
    await cp(model, folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['a truncated table', () => truncate(join(folder, 'table.i8.bin'), 1000), /table\.i8\.bin.*1000 bytes instead of 7558144/],
    ['truncated scales', () => truncate(join(folder, 'scales.f32.bin'), 0), /scales\.f32\.bin.*0 bytes/],
    ['a truncated vocabulary', () => truncate(join(folder, 'vocab.txt'), 100), /vocab\.txt.*lines instead of 29524/],
    ['a missing vocabulary', () => rm(join(folder, 'vocab.txt')), /vocab\.txt.*ENOENT/],
    [
      'another version',
      () => writeFile(join(folder, 'model.json'), '{"format":"static-wordpiece-1","name":"static-en-256","version":3}'),
      /version is 3, not 2/,
    ],
    ['a description that is not JSON', () => writeFile(join(folder, 'model.json'), '{'), /model\.json.*JSON/],
  ])('names the file: %s', async (_, harm, message) => {
    await harm();
    const embedder = createStaticEmbedder({ folder });
    await expect(embedder.embed(['x'])).rejects.toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringMatching(message),
    });
  });

  it('works once the files are repaired', async () => {
    await truncate(join(folder, 'table.i8.bin'), 1000);
    const embedder = createStaticEmbedder({ folder });
    await expect(embedder.embed(['x'])).rejects.toThrow();
    await cp(model, folder, { recursive: true });
    expect(await embedder.embed(['x'])).toHaveLength(1);
  });
});

describe('findPackageRoot', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrag-root-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('passes over package.json files of others and broken ones', async () => {
    await cp(model, join(folder, 'a', 'b', 'c'), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{"name":"hotrag"}');
    await writeFile(join(folder, 'a', 'package.json'), '{"name":"other"}');
    await writeFile(join(folder, 'a', 'b', 'package.json'), '{');
    expect(findPackageRoot(join(folder, 'a', 'b', 'c'))).toBe(folder);
  });

  it('says what to do when the code was bundled away from the package', () => {
    expect(() => findPackageRoot(folder)).toThrow(/external/);
  });
});
