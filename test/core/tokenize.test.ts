import { describe, expect, it } from 'vitest';
import { tokenize } from '../../src/core/tokenize.js';

describe('tokenize', () => {
  it.each([
    ['', []],
    [' \n\t.,;— ', []],
    ['The quick, BROWN fox!', ['quick', 'brown', 'fox']],
    ['snake_case and camelCase', ['snake', 'case', 'camelcase']],
    ['v2 of ISO-8601', ['v2', 'iso', '8601']],
    ['cities boxes classes lines glass status gas', ['city', 'box', 'class', 'line', 'glass', 'status', 'gas']],
    ['Größe Übung éa', ['größe', 'übung', 'éa']],
    ['e\u0301tude', ['\u00e9tude']],
    ['\uff21\uff22\uff23 ﬁne', ['abc', 'fine']],
    ['北京', ['北', '北京', '京']],
    ['在2008年', ['在', '2008', '年']],
    ['東京タワー', ['東', '東京', '京', '京タ', 'タ', 'タワ', 'ワ', 'ワー', 'ー']],
    ['\u{20000}\u{20001}', ['\u{20000}', '\u{20000}\u{20001}', '\u{20001}']],
    ['한국어', ['한', '한국', '국', '국어', '어']],
    ['Москва и Минск', ['москва', 'и', 'минск']],
    ['كِتَابـــ', ['كتاب']],
    ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['🙂 smile🙂d', ['smile', 'd']],
  ])('reads %j', (text, words) => {
    expect(tokenize(text)).toEqual(words);
  });

  it('takes half of a surrogate pair for a separator', () => {
    expect(tokenize('one\ud83dtwo\udc00')).toEqual(['one', 'two']);
  });
});
