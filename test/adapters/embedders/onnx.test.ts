import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openOnnxEmbedder } from '../../../src/adapters/embedders/onnx.js';
import { batchesByLength, windowsOf } from '../../../src/adapters/embedders/onnx-batches.js';
import { onnxEmbedderOptions } from '../../../src/adapters/embedders/onnx-options.js';
import { onnxRerankerOptions } from '../../../src/adapters/rerankers/in-process-options.js';
import { openOnnxReranker } from '../../../src/adapters/rerankers/onnx.js';
import type { Embedder } from '../../../src/core/contracts.js';
import { cosine, embedderContract } from '../../contracts/embedder-contract.js';
import { rerankerContract } from '../../contracts/reranker-contract.js';
import { useWorker } from '../../support/worker.js';

const { script } = useWorker('adapters/embedders/onnx-worker.ts');
const root = mkdtempSync(join(tmpdir(), 'hotrag-onnx-'));
const opened: { close?(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of opened) await one.close?.();
  rmSync(root, { recursive: true, force: true });
});

const WORDS = ['how', 'long', 'is', 'the', 'railway', 'line', '42', 'km', 'butter', 'melts', 'in', 'pan', 'rope', '?', '.'];
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...WORDS];

/** A runtime whose models give each token a vector of its own, and a pair the share of the first text's tokens in the second. */
const RUNTIME = `
export class Tensor {
  constructor(type, data, dims) { Object.assign(this, { type, data, dims }); }
}
const size = ${VOCABULARY.length};
export const InferenceSession = {
  async create(path) {
    const ranks = path.includes('ranks');
    return {
      inputNames: path.includes('strange') ? ['pixels'] : ['input_ids', 'attention_mask', 'token_type_ids'],
      outputNames: [ranks ? 'logits' : 'last_hidden_state'],
      async run({ input_ids: ids, attention_mask: mask, token_type_ids: types }) {
        const [rows, width] = ids.dims;
        if (width > 32) throw new Error('longer than the model reads');
        const places = (row, type) => [...Array(width).keys()].map((at) => row * width + at).filter((at) => mask.data[at] === 1n && types.data[at] === type);
        if (ranks) {
          const data = [...Array(rows).keys()].map((row) => {
            const asked = new Set(places(row, 0n).map((at) => ids.data[at]));
            return places(row, 1n).filter((at) => asked.has(ids.data[at])).length;
          });
          return { logits: { data: Float32Array.from(data), dims: [rows, 1] } };
        }
        const data = new Float32Array(rows * width * size);
        for (let at = 0; at < rows * width; at++) data[at * size + Number(ids.data[at])] = mask.data[at] === 1n ? 1 : 1000;
        return { last_hidden_state: { data, dims: [rows, width, size] } };
      },
    };
  },
};
`;
const runtime = join(root, 'runtime.mjs');
writeFileSync(runtime, RUNTIME);

const TOKENIZER = {
  model: { type: 'WordPiece', unk_token: '[UNK]', vocab: Object.fromEntries(VOCABULARY.map((word, row) => [word, row])) },
  normalizer: { type: 'BertNormalizer', lowercase: true, strip_accents: null, handle_chinese_chars: true },
};

function model(name: string, tokenizer: unknown = TOKENIZER): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'model.onnx'), name);
  writeFileSync(join(folder, 'config.json'), '{ "max_position_embeddings": 32 }');
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  return folder;
}

const seams = { packages: [pathToFileURL(runtime).href], script };
async function embedder(folder: string, options = {}, given: object = seams): Promise<Embedder> {
  const made = await openOnnxEmbedder({ ...onnxEmbedderOptions.parse({ type: 'onnx', folder, ...options }), ...seams, ...given });
  opened.push(made);
  return made;
}
async function reranker(folder: string, options = {}) {
  const made = await openOnnxReranker({ ...onnxRerankerOptions.parse({ type: 'onnx', folder, ...options }), ...seams });
  opened.push(made);
  return made;
}

const embeds = model('embeds');
const ranks = model('ranks');

embedderContract('onnx (stand-in)', () => embedder(embeds), {
  near: ['How long is the railway line?', 'The railway line is 42 km long.'],
  far: 'Butter melts in the pan.',
});
rerankerContract('onnx (stand-in)', async () => ({ reranker: await reranker(ranks), close: () => {} }), {
  query: 'How long is the railway?',
  best: 'The railway is 42 km long.',
  others: ['Butter melts.', 'A rope'],
});

describe('an ONNX embedder', () => {
  it('takes the mean over a text’s own tokens, its marks included and padding left out', async () => {
    const [vector] = await (await embedder(embeds)).embed(['rope', 'how long is the railway line in km ?']);
    const expected = VOCABULARY.map((word) => (['[CLS]', 'rope', '[SEP]'].includes(word) ? 1 / Math.sqrt(3) : 0));
    for (const [at, value] of expected.entries()) expect(vector?.[at]).toBeCloseTo(value, 5);
  });

  it('takes the first token’s vector where the model is made so, which is another embedder', async () => {
    const [mean, cls] = await Promise.all([embedder(embeds), embedder(embeds, { pooling: 'cls' })]);
    const [vector] = await cls.embed(['rope']);
    expect(vector?.[VOCABULARY.indexOf('[CLS]')]).toBeCloseTo(1, 5);
    expect(cls.id).not.toBe(mean.id);
  });

  it('splits a text that is longer than the model reads, and counts its end', async () => {
    const [both, butter, rope] = await (await embedder(embeds)).embed([
      `${'butter '.repeat(90)}${'rope '.repeat(90)}`,
      'butter',
      'rope',
    ]);
    expect(Math.abs(cosine(both, butter) - cosine(both, rope))).toBeLessThan(0.1);
  });

  it('says which runtime to install where there is none', async () => {
    await expect(embedder(embeds, {}, { packages: ['onnxruntime-nowhere'] })).rejects.toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringMatching(/npm install onnxruntime-node@/),
    });
  });

  it('refuses folders and models that are no use', async () => {
    const pattern = (message: RegExp) => ({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
    await expect(embedder(join(root, 'nowhere'))).rejects.toMatchObject(pattern(/embedder\.folder.*model\.onnx.*ENOENT/));
    const other = model('unigram', { ...TOKENIZER, model: { type: 'Unigram' } });
    await expect(embedder(other)).rejects.toMatchObject(pattern(/type Unigram: only WordPiece/));
    const cased = model('cased', { ...TOKENIZER, normalizer: { type: 'BertNormalizer', lowercase: false } });
    await expect(embedder(cased)).rejects.toMatchObject(pattern(/only uncased/));
    await expect(embedder(model('strange'))).rejects.toMatchObject(
      pattern(/input that is not known here: pixels|takes an input/),
    );
    await expect(embedder(ranks)).rejects.toMatchObject(pattern(/is it an embedding model\?/));
    await expect((await reranker(embeds)).rerank('rope', ['rope'])).rejects.toMatchObject(pattern(/is it a cross-encoder\?/));
  });
});

describe('an ONNX reranker', () => {
  it('counts a text that is longer than the model reads as its best part', async () => {
    const [late, none] = await (await reranker(ranks)).rerank('rope', [`${'butter '.repeat(90)} rope`, 'butter '.repeat(90)]);
    expect(late).toBeGreaterThan(none ?? Number.NaN);
  });

  it('refuses a query that leaves no room for a text', async () => {
    await expect((await reranker(ranks)).rerank('rope '.repeat(20), ['rope'])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/query: 20 tokens/),
    });
  });
});

describe('what runs together', () => {
  it('cuts a long text into parts of like length, and loses no token', () => {
    const tokens = Array.from({ length: 1025 }, (_, index) => index);
    const windows = windowsOf(tokens, 510);
    expect(windows.map(({ length }) => length)).toEqual([342, 342, 341]);
    expect(windows.flat()).toEqual(tokens);
    expect(windowsOf([], 510)).toEqual([[]]);
  });

  it('puts inputs of like length together, within the tokens of one run', () => {
    const lengths = [500, 3, 490, 4, 500, ...Array.from({ length: 10 }, () => 5)];
    const batches = batchesByLength(lengths.map((length) => ({ tokens: Array.from({ length }, () => 0) })));
    expect(batches.map((batch) => batch.map(({ tokens }) => tokens.length))).toEqual([
      [3, 4, 5, 5, 5, 5, 5, 5],
      [5, 5, 5, 5],
      [490, 500],
      [500],
    ]);
  });
});
