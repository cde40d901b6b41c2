import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../../src/adapters/assets.js';
import { createWordpiece } from '../../../src/adapters/embedders/wordpiece.js';

const vocabulary = readFileSync(assetPath('models', 'static-en-256', 'vocab.txt'), 'utf8')
  .trimEnd()
  .split('\n');
const rows = new Map(vocabulary.map((token, row) => [token, row]));
const wordpiece = createWordpiece(vocabulary, 0);

function tokens(text: string, units = 8192): readonly string[] {
  const found: string[] = [];
  const reader = wordpiece.read(text);
  while (reader.advance(units, (row) => found.push(vocabulary[row] ?? '?')));
  return found;
}

describe('wordpiece', () => {
  it.each([
    ['Hello, World!', ['hello', ',', 'world', '!']],
    ['embeddings', ['em', '##bed', '##ding', '##s']],
    ['unaffable', ['una', '##ffa', '##ble']],
    ['Café NAÏVE Ångström', ['cafe', 'naive', 'ang', '##strom']],
    ['cafe\u0301', ['cafe']],
    ['a中国b', ['a', '中', '国', 'b']],
    ['x=1+2', ['x', '=', '1', '+', '2']],
    ["it's `code`~", ['it', "'", 's', '`', 'code', '`', '~']],
    ['“quoted”—dash…', ['“', 'quoted', '”', '—', 'dash', '…']],
    ['≠', ['=']],
    ['con\u0000trol\u0007 and\u200bzero\ufeff\ufffd', ['control', 'and', '##zer', '##o']],
    ['tab\tline\nreturn\rno\u000bbreak', ['tab', 'line', 'return', 'no', '##break']],
    ['wide\u00a0space\u3000here', ['wide', 'space', 'here']],
    ['[UNK] ##s', ['[', 'un', '##k', ']', '#', '#', 's']],
    ['😀 ok', ['[UNK]', 'ok']],
    ['', []],
    [' \n\t ', []],
    ['\u0000\u0301', []],
  ])('parts %j', (text, expected) => {
    expect(tokens(text)).toEqual(expected);
  });

  it('gives up on words of over 100 code points only', () => {
    expect(tokens('a'.repeat(100))).not.toContain('[UNK]');
    expect(tokens('a'.repeat(101))).toEqual(['[UNK]']);
    expect(tokens(`a${'é'.repeat(100)}`)).toEqual(['[UNK]']);
    expect(tokens(`x ${'a'.repeat(100_000)} y`)).toEqual(['x', '[UNK]', 'y']);
    expect(tokens(`x ${'é'.repeat(100_000)} y`)).toEqual(['x', '[UNK]', 'y']);
  });

  it('reads a long run of ideographs one by one', () => {
    expect(tokens('中国'.repeat(10_000))).toEqual(Array.from({ length: 20_000 }, (_, index) => (index % 2 ? '国' : '中')));
  });

  it('agrees with the definition, wherever the reading is interrupted', () => {
    const alphabet = [
      ...'aZ9 .,-#$^`~|=<+\t\n\u0000\u007f\u0085\u00a0\u00adéÀßİŉ中龍豈ひカ한글ابתहानथ่😀\u{20000}\u{2f800}\u0301\u200d≠＝“。，',
    ];
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (value, units) => {
        // The final sigma depends on its neighbours across words, which no English vocabulary tells apart.
        const input = value.replaceAll('Σ', '');
        expect(tokens(input, units)).toEqual(definition(input));
      }),
      { numRuns: 3000 },
    );
  });
});

/** The model's README, line by line. */
function definition(text: string): readonly string[] {
  const ideograph =
    /[\u4E00-\u9FFF\u3400-\u4DBF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/u;
  const clean = Array.from(text, (character) => {
    if (/[\t\n\r]/.test(character)) return ' ';
    return /\uFFFD|\p{C}/u.test(character) ? '' : character;
  });
  const plain = clean
    .join('')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '');
  const words: string[] = [''];
  for (const character of plain) {
    if (/\s/u.test(character)) words.push('');
    else if (ideograph.test(character) || /[\p{P}$+<=>^`|~]/u.test(character)) words.push(character, '');
    else words.push(`${words.pop() ?? ''}${character}`);
  }
  return words.filter((word) => word !== '').flatMap(pieces);
}

function pieces(word: string): readonly string[] {
  const points = Array.from(word);
  if (points.length > 100) return ['[UNK]'];
  const found: string[] = [];
  for (let start = 0; start < points.length; ) {
    let end = points.length;
    while (end > start && !rows.has((start > 0 ? '##' : '') + points.slice(start, end).join(''))) end--;
    if (end === start) return ['[UNK]'];
    found.push((start > 0 ? '##' : '') + points.slice(start, end).join(''));
    start = end;
  }
  return found;
}
