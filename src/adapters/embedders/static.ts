import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Embedder } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { assetPath } from '../assets.js';
import { createWordpiece, type Wordpiece } from './wordpiece.js';

/** What this code is written for; model.json must say the same. */
const MODEL = { format: 'static-wordpiece-1', name: 'static-en-256', version: 2, dims: 256, rows: 29_524, unk: 0 } as const;

/** UTF-16 units that are read between two looks at the clock: about half a millisecond. */
const SLICE_UNITS = 8192;

export interface StaticEmbedderOptions {
  /** The folder of the model's files. @default the one that ships with hotrag */
  readonly folder?: string | undefined;
}

/**
 * The bundled English embedder: a text's vector is the normalised sum of its word pieces' rows. No network, no native code.
 * Creating it reads nothing; the 7.9 MB are read at the first `embed`, in about 25 ms.
 * A text without a token has the zero vector.
 * @throws from `embed`: RagError DEPENDENCY_MISSING when the model's files are missing, truncated or of another version
 */
export function createStaticEmbedder(options: StaticEmbedderOptions = {}): Embedder {
  let loading: Promise<Model> | undefined;

  return {
    id: `static:${MODEL.name}@${MODEL.version}`,
    dimensions: MODEL.dims,
    maxBatch: 32,
    // The best of those tried on four English sets (models/static-en-256/README.md): more of it is worse than BM25 alone.
    hybridWeight: 0.25,
    scripts: ['Latin'],
    async embed(texts, { signal } = {}) {
      signal?.throwIfAborted();
      loading ??= loadModel(options.folder ?? assetPath('models', MODEL.name)).catch((error: unknown) => {
        loading = undefined; // a repaired installation is found without a restart
        throw error;
      });
      const model = await loading;
      signal?.throwIfAborted();
      const vectors: Float32Array[] = [];
      for (const text of texts) vectors.push(await embedText(model, text, signal));
      return vectors;
    },
  };
}

interface Model {
  readonly table: Int8Array;
  readonly scales: Float32Array;
  readonly wordpiece: Wordpiece;
}

async function embedText(model: Model, text: string, signal: AbortSignal | undefined): Promise<Float32Array> {
  const sum = new Float32Array(MODEL.dims);
  const add = (row: number) => addRow(sum, model.table, row * MODEL.dims, model.scales[row] ?? 0);
  const reader = model.wordpiece.read(text);
  while (reader.advance(SLICE_UNITS, add)) if (turnIsOver()) await nextTurn(signal);
  if (turnIsOver()) await nextTurn(signal);
  return normalise(sum);
}

/** Four at a time took 50 µs a passage of 160 tokens, one at a time 63, over `subarray` 87; float64 and eight at a time gained nothing. */
function addRow(sum: Float32Array, table: Int8Array, offset: number, scale: number): void {
  for (let k = 0; k < MODEL.dims; k += 4) {
    const at = offset + k;
    // In range: the file sizes were checked against rows × dims. A test for undefined here would cost a fifth of the speed.
    sum[k] = (sum[k] as number) + (table[at] as number) * scale;
    sum[k + 1] = (sum[k + 1] as number) + (table[at + 1] as number) * scale;
    sum[k + 2] = (sum[k + 2] as number) + (table[at + 2] as number) * scale;
    sum[k + 3] = (sum[k + 3] as number) + (table[at + 3] as number) * scale;
  }
}

function normalise(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const factor = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  for (let k = 0; k < vector.length; k++) vector[k] = (vector[k] ?? 0) * factor;
  return vector;
}

/** Sizes are checked at every start, hashes in a test only: reading 7.9 MB costs 3 ms, hashing them 20. */
async function loadModel(folder: string): Promise<Model> {
  const [description, table, scales, vocabulary] = await Promise.all([
    readModelFile(folder, 'model.json'),
    readModelFile(folder, 'table.i8.bin'),
    readModelFile(folder, 'scales.f32.bin'),
    readModelFile(folder, 'vocab.txt'),
  ]);
  checkDescription(folder, description.toString('utf8'));
  checkSize(folder, 'table.i8.bin', table.length, MODEL.rows * MODEL.dims, 'bytes');
  checkSize(folder, 'scales.f32.bin', scales.length, MODEL.rows * 4, 'bytes');
  const tokens = vocabulary.toString('utf8').trimEnd().split('\n');
  checkSize(folder, 'vocab.txt', tokens.length, MODEL.rows, 'lines');
  return {
    table: new Int8Array(table.buffer, table.byteOffset, table.length),
    scales: littleEndianFloats(scales),
    wordpiece: createWordpiece(tokens, MODEL.unk),
  };
}

function littleEndianFloats(bytes: Buffer): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const floats = new Float32Array(bytes.length / 4);
  for (let index = 0; index < floats.length; index++) floats[index] = view.getFloat32(index * 4, true);
  return floats;
}

async function readModelFile(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (cause) {
    throw broken(join(folder, name), messageOf(cause), cause);
  }
}

function checkDescription(folder: string, json: string): void {
  const path = join(folder, 'model.json');
  let description: unknown;
  try {
    description = JSON.parse(json);
  } catch (cause) {
    throw broken(path, messageOf(cause), cause);
  }
  const found = new Map(typeof description === 'object' && description !== null ? Object.entries(description) : []);
  for (const [key, expected] of Object.entries(MODEL)) {
    if (found.get(key) !== expected)
      throw broken(path, `${key} is ${JSON.stringify(found.get(key))}, not ${JSON.stringify(expected)}`);
  }
}

function checkSize(folder: string, name: string, actual: number, expected: number, unit: string): void {
  if (actual !== expected) throw broken(join(folder, name), `${actual} ${unit} instead of ${expected}`);
}

function broken(path: string, problem: string, cause?: unknown): RagError {
  return new RagError(
    'DEPENDENCY_MISSING',
    `The embedder's model file ${path} can't be used: ${problem}. Install hotrag again.`,
    {
      adapter: 'static',
      cause,
    },
  );
}
