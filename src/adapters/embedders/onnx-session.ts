import { join } from 'node:path';
import { messageOf, RagError } from '../../core/errors.js';
import { importOptional } from '../optional-package.js';
import { type OnnxTokenizer, openOnnxTokenizer, readMaxTokens } from './onnx-tokenizer.js';

/** Of `onnxruntime-node` and `onnxruntime-web`, what is used here: both have the same interface. */
export interface OnnxRuntime {
  readonly Tensor: new (type: 'int64', data: BigInt64Array, shape: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(
      path: string,
      options: { readonly intraOpNumThreads: number; readonly interOpNumThreads: 1; readonly executionMode: 'sequential' },
    ): Promise<OnnxSession>;
  };
  /** Of the one for the web only. */
  readonly env?: { readonly wasm?: { numThreads?: number } | undefined } | undefined;
}

interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(inputs: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, OnnxOutput>>>;
}

export interface OnnxOutput {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** The tokens of one input. */
export interface OnnxInput {
  readonly tokens: readonly number[];
  /** From here on, tokens are of the second text of a pair. @default none are */
  readonly secondFrom?: number | undefined;
}

/** A model with its tokenizer. All of it blocks its thread while it computes, whatever its promises look like. */
export interface OnnxModel {
  readonly tokenizer: OnnxTokenizer;
  /** Tokens of an input at most. */
  readonly maxTokens: number;
  /** Runs inputs together, shorter ones padded. The output with that many axes, preferring the first of the names. */
  run(inputs: readonly OnnxInput[], output: { readonly names: readonly string[]; readonly axes: number }): Promise<OnnxOutput>;
}

export interface OnnxModelOptions {
  readonly folder: string;
  readonly threads: number;
  readonly maxTokens?: number | undefined;
  /** Tried in this order. */
  readonly packages: readonly string[];
}

/** The first is four times as fast, the second runs wherever WebAssembly does. */
export const ONNX_PACKAGES = ['onnxruntime-node', 'onnxruntime-web'];
const INSTALL = 'npm install onnxruntime-node@1.30.0';
/** Of BERT and all its small relatives. */
const DEFAULT_MAX_TOKENS = 512;

/** @throws RagError DEPENDENCY_MISSING (no runtime) · CONFIG_INVALID (no model in the folder, or one that takes other inputs) */
export async function openOnnxModel({ folder, threads, packages, ...options }: OnnxModelOptions): Promise<OnnxModel> {
  const tokenizer = await openOnnxTokenizer(folder);
  const told = await readMaxTokens(folder);
  const maxTokens = Math.min(options.maxTokens ?? told ?? DEFAULT_MAX_TOKENS, told ?? Number.POSITIVE_INFINITY);
  const runtime = await importRuntime(packages);
  if (runtime.env?.wasm !== undefined) runtime.env.wasm.numThreads = threads;
  const path = join(folder, 'model.onnx');
  const session = await openSession(runtime, path, threads);
  const strange = session.inputNames.find((name) => !INPUTS.has(name));
  if (strange !== undefined) throw unusable(path, `takes an input that is not known here: ${strange}`);

  return {
    tokenizer,
    maxTokens,
    async run(inputs, { names, axes }) {
      const tensors = tensorsOf(runtime, inputs, tokenizer.padding);
      const feeds = Object.fromEntries(session.inputNames.map((name) => [name, tensors[name]]));
      const outputs = await session.run(feeds);
      const candidates = [...names, ...session.outputNames].flatMap((name) => outputs[name] ?? []);
      const output = candidates.find(({ dims }) => dims.length === axes && dims[0] === inputs.length);
      if (output === undefined) {
        const what =
          axes === 3 ? 'no vectors of tokens: is it an embedding model?' : 'no score of a pair: is it a cross-encoder?';
        throw unusable(path, `gives ${session.outputNames.join(', ')}, ${what}`);
      }
      return output;
    },
  };
}

const INPUTS = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

async function importRuntime(packages: readonly string[]): Promise<OnnxRuntime> {
  let failure: unknown;
  for (const name of packages) {
    try {
      const module = (await importOptional({ name, install: INSTALL, adapter: 'onnx' })) as Partial<OnnxRuntime> & {
        readonly default?: OnnxRuntime;
      }; // their documented form, as an ES module or around a CommonJS one
      const runtime = module.InferenceSession === undefined ? module.default : module;
      if (runtime?.InferenceSession !== undefined) return runtime as OnnxRuntime; // as above
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new RagError('DEPENDENCY_MISSING', `onnx needs a runtime: ${INSTALL}`, { adapter: 'onnx' });
}

async function openSession({ InferenceSession }: OnnxRuntime, path: string, threads: number): Promise<OnnxSession> {
  try {
    return await InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' });
  } catch (cause) {
    throw unusable(path, `can't be loaded: ${messageOf(cause)}`);
  }
}

function tensorsOf({ Tensor }: OnnxRuntime, inputs: readonly OnnxInput[], padding: number): Readonly<Record<string, unknown>> {
  const width = Math.max(...inputs.map(({ tokens }) => tokens.length));
  const shape = [inputs.length, width];
  const ids = new BigInt64Array(inputs.length * width).fill(BigInt(padding));
  const mask = new BigInt64Array(inputs.length * width);
  const types = new BigInt64Array(inputs.length * width);
  for (const [row, { tokens, secondFrom = tokens.length }] of inputs.entries()) {
    for (const [place, token] of tokens.entries()) {
      ids[row * width + place] = BigInt(token);
      mask[row * width + place] = 1n;
      if (place >= secondFrom) types[row * width + place] = 1n;
    }
  }
  return {
    input_ids: new Tensor('int64', ids, shape),
    attention_mask: new Tensor('int64', mask, shape),
    token_type_ids: new Tensor('int64', types, shape),
  };
}

function unusable(path: string, problem: string): RagError {
  return new RagError('CONFIG_INVALID', `the model ${path} ${problem}`, { adapter: 'onnx' });
}
