import { once } from './once.js';

/**
 * The words of a text, in order and with repetitions, as the keyword index of every store counts them.
 *
 * Compatibility forms are folded (NFKC), letters lower-cased, `_` and punctuation separate; English stop words are dropped and plurals
 * reduced to the singular (the "S" stemmer: D. Harman, "How effective is suffixing?", 1991). Text without spaces between words (Han,
 * Hiragana, Katakana, Hangul) becomes pairs of neighbouring characters plus the single characters, which needs no dictionary and
 * finds as much as one. Arabic is taken without its vowel signs and tatweel.
 * @example tokenize('The quick foxes of 東京') // ['quick', 'fox', '東', '東京', '京']
 */
export function tokenize(text: string): string[] {
  const normal = (NOT_ASCII.test(text) ? text.normalize('NFKC').replace(DROPPED, '') : text).toLowerCase();
  const words: string[] = [];
  let start = 0;
  let kind: number = SEPARATOR;
  for (let index = 0; index < normal.length; ) {
    const unit = normal.charCodeAt(index);
    const code = unit >= 0xd800 && unit < 0xdc00 ? (normal.codePointAt(index) ?? unit) : unit;
    const next = code < 0x80 ? (ASCII_KINDS[code] ?? SEPARATOR) : kindOf(code);
    if (next !== kind) {
      addRun(normal, start, index, kind, words);
      start = index;
      kind = next;
    }
    index += code > 0xffff ? 2 : 1;
  }
  addRun(normal, start, normal.length, kind, words);
  return words;
}

const NOT_ASCII = /[^\0-\x7f]/;
/** Tatweel and the vowel signs of Arabic: optional in writing, so a query seldom has those of the text. */
const DROPPED = /[\u0640\u064b-\u065f\u0670]/g;
const cjk = once(() => /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u30fc]/u);
const word = once(() => /[\p{L}\p{N}\p{M}]/u);

const SEPARATOR = 1;
const LETTER = 2;
const IDEOGRAPH = 3;
/** Written out, so that a process that reads English only compiles no pattern of Unicode. */
const ASCII_KINDS = Uint8Array.from({ length: 128 }, (_, code) => (isAsciiWord(code) ? LETTER : SEPARATOR));
/** Kinds of the basic plane, 0 where not asked yet: a pattern costs fifty times a look into a table. */
const KINDS = new Uint8Array(0x10000);

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for from had has have he her his how i if in into is it its of on or s such t that the their them then ' +
    'there these they this to was were what when where which who why will with would you your do does did can could should about than'
  ).split(' '),
);

function kindOf(code: number): number {
  if (code > 0xffff) return classify(code);
  const known = KINDS[code] ?? 0;
  if (known !== 0) return known;
  const kind = classify(code);
  KINDS[code] = kind;
  return kind;
}

function isAsciiWord(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57);
}

function classify(code: number): number {
  const character = String.fromCodePoint(code);
  if (!word().test(character)) return SEPARATOR;
  return cjk().test(character) ? IDEOGRAPH : LETTER;
}

function addRun(text: string, start: number, end: number, kind: number, words: string[]): void {
  if (kind === LETTER) {
    const word = text.slice(start, end);
    if (!STOP_WORDS.has(word)) words.push(singular(word));
  } else if (kind === IDEOGRAPH) {
    let previous = '';
    for (const character of text.slice(start, end)) {
      if (previous !== '') words.push(previous + character);
      words.push(character);
      previous = character;
    }
  }
}

/** Only the endings that are plurals more often than not. */
function singular(word: string): string {
  const { length } = word;
  if (length < 4 || word.charCodeAt(length - 1) !== 0x73) return word;
  if (length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.endsWith('es') && 'sxz'.includes(word.charAt(length - 3))) return word.slice(0, -2);
  return 'su'.includes(word.charAt(length - 2)) ? word : word.slice(0, -1);
}
