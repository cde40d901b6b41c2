import { describe, expect, it } from 'vitest';
import { createHtmlLoader } from '../../../src/adapters/loaders/html.js';
import { loaderContract } from '../../contracts/loader-contract.js';

loaderContract('html', createHtmlLoader, {
  good: {
    'a.html': '<h1>A</h1>\n<p>text\nhere</p>\n',
    'b.HTM': '<!doctype html>\n<title>T</title>\n<p>x</p>',
    'c.xhtml': 'just text\n',
  },
  bad: { 'a.html': '%PDF-1.7\n' },
});

const loader = createHtmlLoader();
const PROSE = 'A sentence of some length, with a comma in it, that a reader would read. '.repeat(12);

async function read(html: string) {
  return loader.load({ uri: 'a.html', bytes: Buffer.from(html) });
}

describe('an HTML page', () => {
  it('gives headings, lists, code and prose as Markdown', async () => {
    const { text, format } = await read(
      '<h1>A <em>b</em></h1><p>snake_case *and* <a href="https://x.test/long">a link</a>.<ul><li>one<li>two</ul><pre><code class="language-js">const a = `x`;\n\n  a_b();</code></pre><h2>C<a href="#c">¶</a></h2><p># not a heading',
    );
    expect(format).toBe('markdown');
    expect(text).toBe(
      '# A b\n\nsnake_case *and* a link.\n\n-   one\n-   two\n\n```js\nconst a = `x`;\n\n  a_b();\n```\n\n## C\n\n\\# not a heading',
    );
  });

  it('keeps tables, a row a line', async () => {
    const { text } = await read(
      '<table><caption>Prices</caption><thead><tr><th>Name<th>Price</thead><tr><td><p>Apple</p><p>red</p><td>1 | 2<tr><td>Pear<td><ul><li>3</ul></table>',
    );
    expect(text.split('\n')).toEqual([
      'Prices',
      '',
      '| Name | Price |',
      '| --- | --- |',
      '| Apple red | 1 \\| 2 |',
      expect.stringMatching(/^\| Pear \| -\s+3 \|$/),
    ]);
  });

  it('takes tables that lay out a page for paragraphs', async () => {
    const { text } = await read('<table><tr><td><table><tr><td>a<td>b</table><td>outer</table>');
    expect(text).toContain('| a | b |');
    expect(text).toMatch(/^outer$/m);
  });

  it('leaves out what a reader does not see', async () => {
    const { text } = await read(
      `<script>var secret1</script><style>.secret2{}</style><noscript>secret3</noscript><template>secret4</template><p hidden>secret5</p>
       <p style="display: none">secret6</p><div aria-hidden="true">secret7</div><svg><text>secret8</text></svg><!-- secret9 --><p>seen</p>`,
    );
    expect(text).toBe('seen');
  });

  it('gives its title as metadata, and as heading where it has none', async () => {
    expect(await read('<title> The\n title </title><p>text</p>')).toMatchObject({
      text: '# The title\n\ntext',
      metadata: { title: 'The title' },
    });
    expect((await read('<title>Site - A</title><h1>A</h1><p>text</p>')).text).toBe('# A\n\ntext');
    expect((await read('<p>text</p>')).metadata).toEqual({});
  });

  it('is its main part, where it names one', async () => {
    const { text } = await read(`<body><nav>menu</nav><main><p>content</p></main><aside>side</aside></body>`);
    expect(text).toBe('content');
  });

  it('is its article, where it names no part', async () => {
    const links = '<li><a href="/">menu item</a>'.repeat(10);
    const { text } = await read(
      `<body><div class="sidebar"><ul>${links}</ul></div><div class="content"><h1>Theme</h1><h2>Topic</h2><p>${PROSE}</p><p>${PROSE}</p></div></body>`,
    );
    expect(text).toMatch(/^# Theme\n\n## Topic\n/);
    expect(text).not.toContain('menu item');
  });

  it('is all of its body where it is no article: a reference, a fragment', async () => {
    const entries = Array.from({ length: 40 }, (_, index) => `<dt><a href="#${index}">entry${index}</a><dd>short`).join('');
    const { text } = await read(`<body><nav>menu</nav><dl>${entries}</dl></body>`);
    expect(text).toContain('entry0');
    expect(text).toContain('entry39');
    expect(text).not.toContain('menu');
    expect((await read('<li>alone')).text).toContain('alone');
    expect((await read('plain words')).text).toBe('plain words');
  });

  it('of tags alone is empty, with a warning', async () => {
    expect(await read('<html><head></head><body><div></div></body></html>')).toMatchObject({
      text: '',
      warnings: [expect.stringContaining('is empty')],
    });
  });

  it.each(['<p>never <b>closed <table><tr>', '</div></p>text', '<a<b>c', '<'.repeat(50), '<html><title>x'])(
    'may be broken: %j',
    async (html) => {
      await expect(read(html)).resolves.toMatchObject({ format: 'markdown' });
    },
  );
});
