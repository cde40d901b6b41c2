import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../src/sdk/config-json.js';

describe('readJson', () => {
  it('reads JSON, a byte order mark or not', () => {
    expect(readJson('{"a":[1,null]}')).toEqual({ ok: true, value: { a: [1, null] } });
    expect(readJson('\uFEFF1')).toEqual({ ok: true, value: 1 });
  });

  it.each([
    ['{ "a": }', 'line 1, column 8: a value should stand here'],
    ['{"b":{}, "a": }', 'line 1, column 15: a value should stand here'],
    ['{"a":1,}', 'line 1, column 8: a name in double quotes should stand here'],
    ['{"a" 1}', 'line 1, column 6: a colon should stand here'],
    ["{'a':1}", 'line 1, column 2: a name in double quotes or } should stand here'],
    ['[1,\n2 3]', 'line 2, column 3: a comma or the closing bracket should stand here'],
    ['[1}', 'line 1, column 3: a comma or the closing bracket should stand here'],
    ['{"a":1}}', 'line 1, column 8: nothing more should stand here'],
    ['{"a":1', 'it ends at line 1, column 7, where a comma or the closing bracket should stand'],
    ['', 'it ends at line 1, column 1, where a value should stand'],
    ['nope', 'line 1, column 1: a value should stand here'],
    ['01', 'line 1, column 1: a value should stand here'],
    ['"a\nb"', 'line 1, column 1: a value should stand here'],
  ])('says where %j breaks', (text, problem) => {
    expect(readJson(text)).toEqual({ ok: false, problem });
  });

  it('finds a place in whatever was broken', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', '}', ',', '"', 'x', ':'), (json, at, replacement) => {
        const place = at % (json.length + 1);
        const reading = readJson(json.slice(0, place) + replacement + json.slice(place + 1));
        expect(reading.ok || /column \d+/.test(reading.problem)).toBe(true);
      }),
      { seed: 7 },
    );
  });
});
