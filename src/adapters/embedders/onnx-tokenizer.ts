import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RagError } from '../../core/errors.js';
import { type Fields, fieldsOf } from '../inference/json.js';
import { createWordpiece } from './wordpiece.js';

/** UTF-16 units that are read in one go; there is nobody else in the thread. */
const SLICE_UNITS = 1 << 16;

/** Texts to the numbers that a model reads. */
export interface OnnxTokenizer {
  /** Without special tokens, and none left out. */
  encode(text: string): number[];
  /** Begins an input. */
  readonly first: number;
  /** Ends an input, and stands between two texts. */
  readonly separator: number;
  readonly padding: number;
}

/**
 * The tokenizer of a model's `tokenizer.json`: uncased WordPiece, as BERT and its small relatives have it.
 * @throws RagError CONFIG_INVALID when there is no such file, or another kind of tokenizer in it
 */
export async function openOnnxTokenizer(folder: string): Promise<OnnxTokenizer> {
  const path = join(folder, 'tokenizer.json');
  const json = await readJson(path);
  const { model, normalizer } = json;
  const { type, vocab, continuing_subword_prefix: prefix = '##', unk_token: unknown = '[UNK]' } = fieldsOf(model);
  const refuse = (problem: string) => new RagError('CONFIG_INVALID', `the tokenizer ${path} ${problem}`, { adapter: 'onnx' });
  if (type !== 'WordPiece' || prefix !== '##') {
    throw refuse(
      `is of type ${String(type)}: only WordPiece is understood. Use this model through Ollama, llama.cpp or a server`,
    );
  }
  const { type: kind, lowercase, strip_accents: stripAccents, handle_chinese_chars: ideographs } = fieldsOf(normalizer);
  if (kind !== 'BertNormalizer' || lowercase !== true || stripAccents === false || ideographs === false) {
    throw refuse('tells upper from lower case, or keeps accents: only uncased models are understood');
  }
  const rows: string[] = [];
  for (const [token, row] of Object.entries(fieldsOf(vocab))) {
    if (typeof row !== 'number' || !Number.isInteger(row) || row < 0 || row > 10_000_000)
      throw refuse(`gives ${token} no number`);
    rows[row] = token;
  }
  const rowOf = (token: string) => {
    const row = fieldsOf(vocab)[token];
    if (typeof row !== 'number') throw refuse(`has no ${token}`);
    return row;
  };
  const wordpiece = createWordpiece(
    Array.from(rows, (token) => token ?? ''),
    rowOf(String(unknown)),
  );
  return {
    encode(text) {
      const tokens: number[] = [];
      const reader = wordpiece.read(text);
      while (reader.advance(SLICE_UNITS, (row) => tokens.push(row)));
      return tokens;
    },
    first: rowOf('[CLS]'),
    separator: rowOf('[SEP]'),
    padding: rowOf('[PAD]'),
  };
}

/** Tokens that the model reads at once, as its `config.json` tells; undefined where it doesn't. */
export async function readMaxTokens(folder: string): Promise<number | undefined> {
  try {
    const { max_position_embeddings: positions } = fieldsOf(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
    return typeof positions === 'number' && Number.isInteger(positions) && positions > 0 ? positions : undefined;
  } catch {
    return undefined; // a model folder needs none
  }
}

async function readJson(path: string): Promise<Fields> {
  try {
    return fieldsOf(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new RagError('CONFIG_INVALID', `the tokenizer ${path} can't be read: ${messageOf(cause)}`, { adapter: 'onnx', cause });
  }
}
