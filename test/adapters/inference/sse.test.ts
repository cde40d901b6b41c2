import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseParser } from '../../../src/adapters/inference/sse.js';
import { fixture } from './recorded-ollama.js';

const broken = (problem: string) => new Error(problem);
const encoder = new TextEncoder();

function parse(chunks: readonly (string | Uint8Array)[]): readonly string[] {
  const parser = createSseParser(broken);
  const events = chunks.flatMap((chunk) => parser.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
  return [...events, ...parser.end()];
}

describe('the event-stream parser', () => {
  it('reads the same events however the bytes are cut, inside a character or a line end too', () => {
    const bytes = encoder.encode(
      'data: {"a":"Straße 北京 🚄"}\r\n\r\n: ping\n\nevent: x\ndata: one\ndata: two\n\rdata:three\r\r',
    );
    const expected = ['{"a":"Straße 北京 🚄"}', 'one\ntwo', 'three'];
    expect(parse([bytes])).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const sorted = [0, ...cuts.sort((left, right) => left - right), bytes.length];
        expect(parse(sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end)))).toEqual(expected);
      }),
    );
  });

  it('reads what a real llama-server sent, one byte at a time', () => {
    const bytes = encoder.encode(fixture('llama-server-chat.sse'));
    const events = parse([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(events.at(-1)).toBe('[DONE]');
    const text = events.slice(0, -1).map((data) => JSON.parse(data).choices[0]?.delta?.content ?? '');
    expect(text.join('')).toBe('Die Straße nach 北京 🚄 ist 42 km lang [1].');
  });

  it('takes an event whose last empty line is missing, and data without a space', () => {
    expect(parse(['data:a\n\ndata: b'])).toEqual(['a', 'b']);
    expect(parse(['data: b\r'])).toEqual(['b']);
  });

  it.each([
    ['bytes that are not UTF-8', [Uint8Array.of(0x64, 0xff, 0xfe)]],
    ['bytes that are not UTF-8', [Uint8Array.of(0xe5, 0x8c)]],
    ['a line that belongs to no event stream', ['<html>Please log in</html>\n']],
    ['an event of over', ['data: '.padEnd(1_200_000, 'x')]],
    ['an event of over', Array.from({ length: 1200 }, () => `data: ${'x'.repeat(1000)}\n`)],
  ])('refuses %s', (problem, chunks) => {
    expect(() => parse(chunks)).toThrow(problem);
  });
});
