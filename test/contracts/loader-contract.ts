import { describe, expect, it } from 'vitest';
import type { Loader } from '../../src/core/contracts.js';

/** What every loader keeps to. `good` are sources that it reads; `bad` ones it refuses with INPUT_INVALID. */
export function loaderContract(
  name: string,
  create: () => Loader,
  samples: { readonly good: Readonly<Record<string, string>>; readonly bad: Readonly<Record<string, string | Uint8Array>> },
): void {
  describe(`${name} as a Loader`, () => {
    const loader = create();
    const source = (uri: string, content: string | Uint8Array) => ({ uri, bytes: Buffer.from(content) });

    it('tells its name and version', () => {
      expect(loader.id).toMatch(/^[\w-]+@\d+$/);
    });

    it.each(Object.entries(samples.good))('reads %s, the same each time, with LF only', async (uri, content) => {
      const crlf = source(uri, content.replaceAll('\n', '\r\n'));
      expect(loader.accepts(uri, crlf.bytes.subarray(0, 4096))).toBe(true);
      const document = await loader.load(crlf);
      expect(document.text).not.toContain('\r');
      expect(document.text).toMatch(/\S/);
      expect(document.format).toMatch(/^\w+$/);
      expect(await loader.load(crlf)).toEqual(document);
      expect(await loader.load(source(uri, content))).toEqual(document);
      expect(await loader.load(source(uri, content.replaceAll('\n', '\r')))).toEqual(document);
    });

    it.each(Object.entries(samples.good))('takes no byte order mark into the text of %s', async (uri, content) => {
      expect(await loader.load(source(uri, `\uFEFF${content}`))).toEqual(await loader.load(source(uri, content)));
    });

    it.each(Object.keys(samples.good))('reads an empty %s as an empty document, with a warning', async (uri) => {
      for (const content of ['', ' \r\n\t\n']) {
        const document = await loader.load(source(uri, content));
        expect(document.text.trim()).toBe('');
        expect(document.warnings).toEqual([expect.stringContaining('is empty')]);
      }
    });

    it.each(Object.entries(samples.bad))('refuses %s and names it', async (uri, content) => {
      await expect(loader.load(source(uri, content))).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(uri),
      });
    });

    it.each(Object.keys(samples.good))('refuses bytes of %s that are no text, or damaged UTF-8', async (uri) => {
      const broken = Buffer.concat([Buffer.from('good text \uFFFD é\n'.repeat(20_000)), Buffer.from([0x63, 0xe9, 0x0a])]);
      await expect(loader.load({ uri, bytes: broken })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(`byte ${broken.length - 2} `),
      });
      const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      await expect(loader.load({ uri, bytes: png })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('PNG'),
      });
      await expect(loader.load(source(uri, 'a\u0000b'))).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('NUL'),
      });
    });

    it("rejects with the signal's reason when aborted in the middle of a large file", async () => {
      const [uri = '', content = ''] = Object.entries(samples.good)[0] ?? [];
      const controller = new AbortController();
      const loading = loader.load(source(uri, `${content}\n`.repeat(Math.ceil(20_000_000 / content.length))), {
        signal: controller.signal,
      });
      setImmediate(() => controller.abort(new Error('enough')));
      await expect(loading).rejects.toThrow('enough');
    });
  });
}

/** The same for formats that aren't text, with whole files as samples. */
export function binaryLoaderContract(
  name: string,
  create: () => Loader,
  samples: { readonly good: Readonly<Record<string, Uint8Array>>; readonly bad: Readonly<Record<string, Uint8Array>> },
): void {
  describe(`${name} as a Loader`, () => {
    const loader = create();

    it('tells its name and version', () => {
      expect(loader.id).toMatch(/^[\w-]+@\d+$/);
    });

    it.each(Object.entries(samples.good))('reads %s, the same each time, with LF only', async (uri, bytes) => {
      expect(loader.accepts(uri, bytes.subarray(0, 4096))).toBe(true);
      const document = await loader.load({ uri, bytes });
      expect(document.text).not.toContain('\r');
      expect(document.text).toMatch(/\S/);
      expect(document.format).toMatch(/^\w+$/);
      expect(await loader.load({ uri, bytes })).toEqual(document);
    });

    it('reads an empty file as an empty document, with a warning', async () => {
      const [uri = ''] = Object.keys(samples.good);
      const document = await loader.load({ uri, bytes: new Uint8Array() });
      expect(document).toMatchObject({ text: '', warnings: [expect.stringContaining('is empty')] });
    });

    it.each(Object.entries(samples.bad))('refuses %s and names it', async (uri, bytes) => {
      await expect(loader.load({ uri, bytes })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(uri),
      });
    });
  });
}
