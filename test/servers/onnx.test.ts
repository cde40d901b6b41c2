import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOnnxEmbedder } from '../../src/adapters/embedders/onnx.js';
import { onnxEmbedderOptions } from '../../src/adapters/embedders/onnx-options.js';
import { onnxRerankerOptions } from '../../src/adapters/rerankers/in-process-options.js';
import { openOnnxReranker } from '../../src/adapters/rerankers/onnx.js';
import type { Embedder } from '../../src/core/contracts.js';
import { cosine, embedderContract } from '../contracts/embedder-contract.js';
import { useWorker } from '../support/worker.js';
import { type OnnxHere, onnx } from './in-process.js';
import { requireServer } from './require-server.js';

const { skipped, title, server } = await requireServer(onnx);
const SAMPLES = {
  near: ['How long is the railway line?', 'The railway is 42 km long.'],
  far: 'Butter melts in the pan.',
} as const;

describe.skipIf(skipped)(title, () => {
  const { runtimes, folder } = server as OnnxHere; // there unless skipped
  const { script } = useWorker('adapters/embedders/onnx-worker.ts');
  const embedder = (runtime: string, options = {}) =>
    openOnnxEmbedder({ ...onnxEmbedderOptions.parse({ type: 'onnx', folder, ...options }), packages: [runtime], script });

  describe.each(Object.entries(runtimes))('with onnxruntime-%s', (name, runtime) => {
    let opened: Embedder;
    beforeAll(async () => {
      opened = await embedder(runtime);
    });
    afterAll(() => opened.close?.());

    embedderContract(`onnx (${name})`, () => opened, SAMPLES);

    it('gives the vectors of the model', async () => {
      // 0.6099 and 0.0024 with the Python runtime and the tokenizer of the model's authors.
      const [cat, kitten, rocket] = await opened.embed([
        'A cat sits on the mat.',
        'A kitten is sitting on a rug.',
        'The rocket launch was delayed by weather.',
      ]);
      expect(cosine(cat, kitten)).toBeGreaterThan(cosine(cat, rocket) + 0.3);
    });

    it('gives all of a text that is longer than the model reads, in whatever company', async () => {
      const long = `${'Butter melts in the pan. '.repeat(120)}${'The railway is 42 km long. '.repeat(120)}`;
      const [both, near, far] = await opened.embed([long, 'The railway is 42 km long.', 'A cat sleeps.']);
      expect(cosine(both, near)).toBeGreaterThan(cosine(both, far) + 0.2);
      const [alone] = await opened.embed([long]);
      expect(cosine(both, alone)).toBeGreaterThan(0.999);
    });
  });

  it('leaves the event loop alone while it computes', async () => {
    const embeds = await embedder(runtimes.node);
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await embeds.embed(Array.from({ length: 32 }, (_, index) => `${'The railway is 42 km long. '.repeat(40)}${index}`));
    clearInterval(ticking);
    await embeds.close?.();
    expect(turns).toBeGreaterThan(50); // in this thread, there would be one between two of eleven runs
  });

  it('refuses an embedding model in a reranker’s place', async () => {
    const reranker = await openOnnxReranker({
      ...onnxRerankerOptions.parse({ type: 'onnx', folder }),
      packages: [runtimes.node],
      script,
    });
    await expect(reranker.rerank('ropes', ['a text'])).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/cross-encoder/),
    });
    await reranker.close?.();
  });
});
