import { readFileSync } from 'node:fs';
import { RagError } from '../../../../core/errors.js';
import { assetPath } from '../../../assets.js';
import { type WasmModule, webAssembly } from './web-assembly.js';

/** The two builds of the kernel. They give the same bits; the relaxed one takes half the time, on engines that know its instructions. */
export type KernelVariant = 'relaxed' | 'plain';

/** For which vectors an instance is made. */
export interface KernelShape {
  readonly dimensions: number;
  /** Rows there is room for. */
  readonly capacity: number;
  /** Whether the squared distance decides, instead of the dot product. */
  readonly byDistance: boolean;
  /** Whether vectors are kept in float32 to score the best with, instead of a byte a number. */
  readonly keepsFloats: boolean;
}

/** An instance with its memory. The arrays of `exports` begin at the addresses that its globals tell. */
export interface Kernel {
  readonly variant: KernelVariant;
  readonly shape: KernelShape;
  readonly exports: KernelExports;
  /** `count` bytes at the address that a global tells, of the memory itself. */
  bytes(global: KernelGlobal, count: number): Uint8Array<ArrayBuffer>;
}

/** Places of the pool, and rows that one call gives back. */
export const MOST_POOL = 4096;
/** What WebAssembly can address. */
const MOST_BYTES = 2 ** 32;
const PAGE_BYTES = 65536;

/** A variable of the kernel, as it is at the moment. */
export interface KernelGlobal {
  readonly value: number;
}

/** See `assembly/`: each is described where it is defined. */
export interface KernelExports {
  layout(dimensions: number, capacity: number, byDistance: boolean, keepsFloats: boolean, mostPool: number): number;
  encode(row: number): void;
  prepareQuery(): void;
  intersectMask(first: number, last: number): number;
  reset(limit: number): void;
  scanRows(first: number, last: number): void;
  scoreRows(first: number, last: number): number;
  rowsWithKey(first: number, last: number, key: number): number;
  descend(level: number): number;
  searchLevel(start: number, level: number, ef: number): void;
  searchMasked(start: number, ef: number, budget: number): boolean | number;
  takeAbove(key: number): number;
  takeChains(enough: number, most: number): number;
  link(row: number, ef: number): void;
  repair(first: number, last: number, ef: number): void;
  bury(first: number, last: number): void;
  chooseEntry(rows: number): void;
  setEntry(row: number, level: number): void;
  clearEntry(): void;
  setListCount(count: number): void;
  readonly entry: KernelGlobal;
  readonly entryLevel: KernelGlobal;
  readonly listCount: KernelGlobal;
  readonly seen: KernelGlobal;
  readonly tiesLeft: KernelGlobal;
  readonly worst: KernelGlobal;
  readonly stride: KernelGlobal;
  readonly codes: KernelGlobal;
  readonly seconds: KernelGlobal;
  readonly scales: KernelGlobal;
  readonly norms: KernelGlobal;
  readonly links: KernelGlobal;
  readonly uppers: KernelGlobal;
  readonly upperLists: KernelGlobal;
  readonly levels: KernelGlobal;
  readonly twins: KernelGlobal;
  readonly present: KernelGlobal;
  readonly mask: KernelGlobal;
  readonly queryFloats: KernelGlobal;
  readonly rowsOut: KernelGlobal;
  readonly scoresOut: KernelGlobal;
}

/** Compiled once a process. */
const modules = new Map<KernelVariant, WasmModule>();

/**
 * @param variant for tests; else the fastest that this engine validates
 * @throws RagError DEPENDENCY_MISSING: the package was not built · INPUT_INVALID: more rows than can be addressed
 */
export function createKernel(shape: KernelShape, variant: KernelVariant = bestVariant()): Kernel {
  const module = compiled(variant);
  const needed = bytesNeeded(shape);
  if (needed > MOST_BYTES) {
    throw new RagError(
      'INPUT_INVALID',
      `${shape.capacity} vectors of ${shape.dimensions} dimensions need ${Math.ceil(needed / 2 ** 20)} MiB, and 4,096 can be addressed; ` +
        'split them into several collections',
    );
  }
  const memory = new webAssembly.Memory({ initial: Math.ceil(needed / PAGE_BYTES), maximum: PAGE_BYTES });
  // These are what assembly/index.ts exports.
  const exports = new webAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
  const used = exports.layout(shape.dimensions, shape.capacity, shape.byDistance, shape.keepsFloats, MOST_POOL) >>> 0;
  if (used > needed) throw new Error(`the kernel needs ${used} bytes, and ${needed} were counted`);
  return {
    variant,
    shape,
    exports,
    bytes: (global, count) => new Uint8Array(memory.buffer, global.value >>> 0, count),
  };
}

/** The best build that this engine can run. */
export function bestVariant(): KernelVariant {
  return webAssembly.validate(binary('relaxed')) ? 'relaxed' : 'plain';
}

const binaries = new Map<KernelVariant, Uint8Array<ArrayBuffer>>();

function binary(variant: KernelVariant): Uint8Array<ArrayBuffer> {
  let bytes = binaries.get(variant);
  if (bytes === undefined) {
    const path = assetPath('dist', 'kernel', `${variant}.wasm`);
    try {
      bytes = new Uint8Array(readFileSync(path));
    } catch (cause) {
      throw new RagError(
        'DEPENDENCY_MISSING',
        `The vector kernel is not in the package (${path}): install hotrag again, or run \`npm run build\`.`,
        { cause },
      );
    }
    binaries.set(variant, bytes);
  }
  return bytes;
}

function compiled(variant: KernelVariant): WasmModule {
  let module = modules.get(variant);
  if (module === undefined) {
    module = new webAssembly.Module(binary(variant));
    modules.set(variant, module);
  }
  return module;
}

/** As `layout` cuts it, rounded up: 32-bit sums there would wrap. */
function bytesNeeded({ dimensions, capacity, byDistance, keepsFloats }: KernelShape): number {
  const stride = Math.ceil(dimensions / 16) * 16;
  const row = stride * (keepsFloats ? 5 : 2) + 32 * 4 + 8 + 8 + 4 + 4 + 2 + 1 + 0.25 + (byDistance ? 4 : 0) + 8;
  return Math.ceil(capacity * row) + stride * 7 + MOST_POOL * 16 + 2 ** 16;
}
