// Builds the vector kernel from AssemblyScript: dist/kernel/relaxed.wasm for engines with relaxed SIMD, plain.wasm for the others.
// `node scripts/kernel.mjs`; with `--if-stale` only when a source is newer than what is there.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCES = new URL('../src/adapters/stores/memory/kernel/assembly/', import.meta.url);
const OUT = new URL('../dist/kernel/', import.meta.url);
const VARIANTS = { relaxed: ['--enable', 'relaxed-simd'], plain: [] };

/** Writes both builds; throws with the compiler's words when it refuses. */
export async function buildKernel() {
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(OUT, { recursive: true });
  for (const [name, features] of Object.entries(VARIANTS)) {
    const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', ...features];
    const memory = ['--importMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--use', 'abort='];
    let binary;
    const { error, stderr } = await asc.main(
      ['index.ts', '--outFile', `${name}.wasm`, '--baseDir', fileURLToPath(SOURCES), ...options, ...memory],
      {
        writeFile(file, contents) {
          if (file.endsWith('.wasm')) binary = contents;
        },
      },
    );
    if (error !== null || binary === undefined) throw new Error(`the kernel doesn't compile:\n${stderr.toString()}`);
    // Under another name first: a process that starts meanwhile must not read half a file.
    const file = new URL(`${name}.wasm`, OUT);
    const unfinished = new URL(`${name}.wasm.${process.pid}`, OUT);
    writeFileSync(unfinished, binary);
    renameSync(unfinished, file);
  }
}

/** The same, unless both builds are newer than every source. Also what vitest calls before the tests. */
export async function setup() {
  const built = Object.keys(VARIANTS).map((name) => new URL(`${name}.wasm`, OUT));
  const sources = readdirSync(SOURCES).map((name) => new URL(name, SOURCES));
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (built.every((file) => existsSync(file) && statSync(file).mtimeMs > newest)) return;
  await buildKernel();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await (process.argv.includes('--if-stale') ? setup() : buildKernel());
