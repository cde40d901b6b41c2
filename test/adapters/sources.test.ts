import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSourceFinder } from '../../src/adapters/sources/index.js';
import { isRagError } from '../../src/core/errors.js';
import { toArray } from '../../src/core/flow.js';

let base: string;
let root: string;

beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'hotrag-sources-')));
  root = join(base, 'root');
  await mkdir(root);
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function write(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(base, path)), { recursive: true });
    await writeFile(join(base, path), path.endsWith('.gitignore') ? '' : path);
  }
}

interface Wanted {
  readonly cwd?: string;
  readonly roots?: readonly string[];
  readonly maxFileBytes?: number;
}

/** uris of files; `CODE uri` for what can't be taken. */
async function find(
  sources: string | readonly string[],
  { cwd = root, roots, maxFileBytes }: Wanted = {},
): Promise<readonly string[]> {
  const found = await createSourceFinder({ cwd, maxFileBytes }).resolve([sources].flat(), { roots });
  const uris: string[] = [];
  for (const source of found) {
    for await (const file of source.files())
      uris.push('error' in file ? `${isRagError(file.error) ? file.error.code : '?'} ${file.uri}` : file.uri);
  }
  return uris;
}

const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
const invalid = (message: RegExp) => expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) });

describe('folders', () => {
  it('give their files in ascending order of uri', async () => {
    await write('root/b.md', 'root/a/z.md', 'root/a.md', 'root/a-b/x.md', 'root/a/b/c.md', 'root/Z.md', 'root/é.md');
    const uris = ['Z.md', 'a-b/x.md', 'a.md', 'a/b/c.md', 'a/z.md', 'b.md', 'é.md'];
    expect(await find('.')).toEqual(uris);
    expect(uris).toEqual([...uris].sort());
  });

  it('keep that order through links', async () => {
    await write('root/real/x.md', 'root/a-b.md');
    await symlink('real', join(root, 'a'));
    expect(await find('.')).toEqual(['a-b.md', 'a/x.md', 'real/x.md']);
  });

  it('are called by their place under the working folder, or by themselves outside it', async () => {
    await write('root/docs/a.md', 'other/docs/b.md');
    expect(await find('docs')).toEqual(['docs/a.md']);
    expect(await find([join(root, 'docs'), join(base, 'other')])).toEqual(['docs/a.md', 'docs/b.md']);
    expect(await find(join(base, 'other', 'docs', 'b.md'))).toEqual(['b.md']);
  });

  it('pass over dot names and node_modules, unless the source names them', async () => {
    await write(
      'root/a.md',
      'root/.b.md',
      'root/.c/d.md',
      'root/.c/.e/f.md',
      'root/.git/g.md',
      'root/node_modules/p/README.md',
      'root/node_modules/p/node_modules/q/README.md',
      'root/x/node_modules/h.md',
    );
    expect(await find('.')).toEqual(['a.md']);
    expect(await find(['.b.md', '.c', 'node_modules/p'])).toEqual(['.b.md', '.c/d.md', 'node_modules/p/README.md']);
    expect(await find(['.c/*.md', '**/.e/*.md', '**/node_modules/*.md', '.*'])).toEqual([
      '.c/d.md',
      'NOT_FOUND **/.e/*.md',
      'x/node_modules/h.md',
      '.b.md',
    ]);
  });

  it('that are empty give nothing', async () => {
    expect(await find('.')).toEqual([]);
  });

  it('are listed again each time', async () => {
    await write('root/a.md');
    const [source] = await createSourceFinder({ cwd: root }).resolve(['.'], {});
    const uris = async () => {
      const all: string[] = [];
      for await (const { uri } of source?.files() ?? []) all.push(uri);
      return all;
    };
    expect(await uris()).toEqual(['a.md']);
    await write('root/b.md');
    expect(await uris()).toEqual(['a.md', 'b.md']);
    expect(source?.origin).toBe(root);
  });

  it('stop being listed when aborted', async () => {
    await write('root/a.md', 'root/b.md', 'root/c.md');
    const controller = new AbortController();
    const [source] = await createSourceFinder({ cwd: root }).resolve(['.'], { signal: controller.signal });
    const seen: string[] = [];
    const listing = async () => {
      for await (const { uri } of source?.files({ signal: controller.signal }) ?? []) {
        seen.push(uri);
        controller.abort(new Error('enough'));
      }
    };
    await expect(listing()).rejects.toThrow('enough');
    expect(seen).toEqual(['a.md']);
    await expect(createSourceFinder().resolve(['.'], { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('without permission are reported, and the rest goes on', async () => {
    await write('root/a.md', 'root/closed/b.md', 'root/z.md', 'root/secret.md');
    await chmod(join(root, 'closed'), 0o000);
    await chmod(join(root, 'secret.md'), 0o000);
    await chmod(base, 0o755);
    await asNobody(async () => {
      expect(await find('.')).toEqual(['a.md', 'FORBIDDEN closed', 'secret.md', 'z.md']);
      expect(await find('closed/b.md')).toEqual(['FORBIDDEN closed/b.md']);
      await expect(read('secret.md')).rejects.toEqual(forbidden);
    });
    await chmod(join(root, 'closed'), 0o755);
  });
});

describe('.gitignore', () => {
  it('rules where it stands, and nearer ones over farther ones', async () => {
    await write(
      'root/a.md',
      'root/b.log',
      'root/dist/c.md',
      'root/sub/d.log',
      'root/sub/keep.log',
      'root/sub/e.tmp',
      'root/f.tmp',
      'root/A.LOG',
    );
    await writeFile(join(root, '.gitignore'), '*.log\ndist/\n');
    await writeFile(join(root, 'sub', '.gitignore'), '!keep.log\n/e.tmp\n');
    const uris = ['A.LOG', 'a.md', 'f.tmp', 'sub/keep.log'];
    expect(await find('.')).toEqual(uris);
    expect(await find('**/*')).toEqual(uris);
    expect(await find('sub')).toEqual(['sub/keep.log']);
  });

  it('does not rule over what a source names', async () => {
    await write('root/dist/a.md', 'root/dist/b.log', 'root/dist/sub/c.md', 'root/x.log');
    await writeFile(join(root, '.gitignore'), '*.log\ndist/\n');
    expect(await find('dist/sub')).toEqual(['dist/sub/c.md']);
    expect(await find('dist/**/*.md')).toEqual(['dist/a.md', 'dist/sub/c.md']);
    expect(await find(['x.log', 'dist/b.log'])).toEqual(['x.log', 'dist/b.log']);
  });

  it('of a strange kind is left alone', async () => {
    await write('root/a.md', 'root/sub/b.md');
    await mkdir(join(root, '.gitignore'));
    execFileSync('mkfifo', [join(root, 'sub', '.gitignore')]);
    expect(await find('.')).toEqual(['a.md', 'sub/b.md']);
  });
});

describe('globs', () => {
  it.each([
    ['*.md', ['a.md', 'b c.md']],
    ['**/*.md', ['a.md', 'b c.md', 'docs/d.md', 'docs/x/e.md']],
    ['docs/*.{md,txt}', ['docs/d.md', 'docs/f.txt']],
    ['docs/**', ['docs/d.md', 'docs/f.txt', 'docs/x/e.md']],
    ['do?s/[d-f].md', ['docs/d.md']],
    ['./docs/../*.md', ['a.md', 'b c.md']],
    ['*', ['a.md', 'b c.md']],
  ])('%s', async (glob, uris) => {
    await write('root/a.md', 'root/b c.md', 'root/docs/d.md', 'root/docs/f.txt', 'root/docs/x/e.md', 'root/docs/.h.md');
    expect(await find(glob)).toEqual(uris);
    expect(await find(join(root, glob))).toEqual(uris);
  });

  it('have the pattern for origin', async () => {
    const [source] = await createSourceFinder({ cwd: root }).resolve(['docs/**/*.md'], {});
    expect(source?.origin).toBe(join(root, 'docs/**/*.md'));
  });

  it('that match nothing are reported', async () => {
    await write('root/a.md');
    expect(await find(['*.txt', 'none/*.md', 'a.md/*.md'])).toEqual([
      'NOT_FOUND *.txt',
      'NOT_FOUND none/*.md',
      'NOT_FOUND a.md/*.md',
    ]);
  });

  it('with more wildcards than a matcher should be given are refused', async () => {
    await write('root/a.md');
    await expect(find('*a*a*a*a*a*.md')).rejects.toEqual(invalid(/too many wildcards/));
    await expect(find('**/a/**/a/**/a/**/a/**/*.md')).rejects.toEqual(invalid(/too many wildcards/));
  });
});

describe('names', () => {
  const names = [
    'with space.md',
    'quo\'te".md',
    '中文 文档.md',
    '[brackets].md',
    '*.md',
    '{a,b}.md',
    '!not.md',
    '#hash%20.md',
    'a+(b).md',
    'back\\slash.md',
  ];

  it.each(names)('may be %s', async (name) => {
    await write(`root/${name}`, 'root/b.md');
    expect(await find(name)).toEqual([name]);
    expect(await find(join(root, name))).toEqual([name]);
    expect(await find(pathToFileURL(join(root, name)).href)).toEqual([name]);
    expect((await find('.')).toSorted()).toEqual([name, 'b.md'].toSorted());
  });

  it('of folders may look like patterns, with patterns after them', async () => {
    await write('root/[x] {y}/a.md', 'root/x/b.md');
    expect(await find(['[x] {y}', '[x] {y}/*.md'])).toEqual(['[x] {y}/a.md', '[x] {y}/a.md']);
  });
});

describe('what can not be taken', () => {
  it.each([
    ['', /empty/],
    [' \n', /empty/],
    ['a\0b', /NUL/],
    ['https://example.org/a.md', /nothing is fetched/],
    ['ftp://example.org/a.md', /nothing is fetched/],
    ['file://server/share/a.md', /another machine/],
    ['file:////server/share/a.md', /network path/],
    ['file:///a%00b', /NUL/],
    ['file:///a%2fb', /%2fb.*encoded/],
    ['\\\\server\\share\\a.md', /network path/],
    ['//server/share/a.md', /network path/],
  ])('is refused: %j', async (source, message) => {
    await write('root/a.md');
    await expect(find(['a.md', source])).rejects.toEqual(invalid(message));
  });

  it('is reported when it is missing, and the rest goes on', async () => {
    await write('root/a.md');
    await symlink('nowhere', join(root, 'broken'));
    expect(await find(['missing.md', 'a.md', 'a.md/x', 'broken'])).toEqual([
      'NOT_FOUND missing.md',
      'a.md',
      'NOT_FOUND a.md/x',
      'NOT_FOUND broken',
    ]);
    expect(await find('.')).toEqual(['a.md', 'NOT_FOUND broken']);
  });

  it('is never opened when it is a pipe or a socket', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await symlink('/dev/zero', join(root, 'zero'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    try {
      const all = ['INPUT_INVALID pipe', 'INPUT_INVALID socket', 'INPUT_INVALID zero'];
      expect(await find('.')).toEqual(all);
      expect(await find(['pipe', 'socket', 'zero'])).toEqual(all);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('is larger than allowed', async () => {
    await writeFile(join(root, 'big.txt'), 'x'.repeat(1001));
    await writeFile(join(root, 'fits.txt'), 'x'.repeat(1000));
    expect(await find('.', { maxFileBytes: 1000 })).toEqual(['big.txt', 'fits.txt']);
    await expect(read('big.txt', 1000)).rejects.toEqual(invalid(/big\.txt has 1001 bytes.*maxFileBytes.*1000 bytes/));
    expect(await read('fits.txt', 1000)).toHaveLength(1000);
  });

  it('has changed since it was listed', async () => {
    await write('root/gone.md', 'root/link.md', 'root/pipe.md', 'outside.md');
    const [source] = await createSourceFinder({ cwd: root }).resolve(['.'], {});
    const files = [];
    for await (const file of source?.files() ?? []) if (!('error' in file)) files.push(file);
    await rm(join(root, 'gone.md'));
    await rm(join(root, 'link.md'));
    await symlink('../outside.md', join(root, 'link.md'));
    await rm(join(root, 'pipe.md'));
    execFileSync('mkfifo', [join(root, 'pipe.md')]);
    const codes = await Promise.all(
      files.map((file) =>
        file.read().then(
          () => 'read',
          (error: unknown) => (isRagError(error) ? error.code : '?'),
        ),
      ),
    );
    expect(codes).toEqual(['NOT_FOUND', 'INPUT_INVALID', 'INPUT_INVALID']);
  });
});

describe('roots', () => {
  beforeEach(() => write('root/a.md', 'root/docs/b.md', 'second/docs/c.md', 'second/d.md', 'outside/secret.md', 'root-2/e.md'));

  it('hold what is found, and name it', async () => {
    const roots = [root, join(base, 'second')];
    expect(await find(['docs', 'd.md', join(base, 'second')], { roots })).toEqual(['docs/b.md', 'd.md', 'd.md', 'docs/c.md']);
    expect(await find('.', { roots: ['root'], cwd: base })).toEqual(['a.md', 'docs/b.md']);
  });

  it('are named when a relative source is in none of them', async () => {
    const [found] = await createSourceFinder({ cwd: base }).resolve(['docs/nowhere.md'], { roots: [root] });
    const [item] = found === undefined ? [] : await toArray(found.files());
    expect(item).toMatchObject({ error: { code: 'NOT_FOUND', message: expect.stringContaining(join(root, 'docs/nowhere.md')) } });
  });

  it('are found as one types them from the working folder too, after those of a root', async () => {
    const from = { cwd: base, roots: [root] };
    expect(await find(['root/a.md', 'root/docs', 'root/*.md'], from)).toEqual(['a.md', 'docs/b.md', 'a.md']);
    await write('root/root/a.md');
    expect(await find('root/a.md', from)).toEqual(['root/a.md']);
    expect(await find('outside/secret.md', from)).toEqual(['NOT_FOUND outside/secret.md']);
    await symlink('../outside', join(root, 'way-out'));
    expect(await find('root/missing.md', from)).toEqual(['NOT_FOUND root/missing.md']);
  });

  it.each([
    '..',
    '../outside',
    '../outside/secret.md',
    '../outside/missing.md',
    '../root-2',
    'docs/../../outside',
    '../**/*.md',
    '/',
    '/etc/passwd',
    '/nowhere/at/all',
    'file:///etc/passwd',
  ])('refuse the whole call for %s', async (source) => {
    await expect(find(['a.md', source], { roots: [root] })).rejects.toEqual(forbidden);
  });

  it('refuse everything when there are none', async () => {
    await expect(find('a.md', { roots: [] })).rejects.toEqual(forbidden);
  });

  it('refuse a named link that leads out, and pass over one on the way, with a report', async () => {
    await symlink('../outside', join(root, 'folder'));
    await symlink('../outside/secret.md', join(root, 'file.md'));
    await symlink('docs/b.md', join(root, 'inside.md'));
    const roots = [root];
    for (const source of ['folder', 'file.md', 'folder/secret.md', 'folder/missing.md', 'folder/*.md']) {
      await expect(find(source, { roots })).rejects.toEqual(forbidden);
    }
    expect(await find('.', { roots })).toEqual(['a.md', 'docs/b.md', 'FORBIDDEN file.md', 'FORBIDDEN folder', 'inside.md']);
    expect(await find('*.md', { roots })).toEqual(['a.md', 'FORBIDDEN file.md', 'inside.md']);
    expect(await find('.', { roots: [root, join(base, 'outside')] })).toEqual([
      'a.md',
      'docs/b.md',
      'file.md',
      'folder/secret.md',
      'inside.md',
    ]);
  });

  it('may be links themselves', async () => {
    await symlink('root', join(base, 'alias'));
    expect(await find(['a.md', join(root, 'a.md'), join(base, 'alias', 'docs')], { roots: [join(base, 'alias')] })).toEqual([
      'a.md',
      'a.md',
      'docs/b.md',
    ]);
  });

  it('have to be there', async () => {
    await expect(find('a.md', { roots: [join(base, 'none')] })).rejects.toEqual(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    await expect(find('a.md', { roots: [join(root, 'a.md')] })).rejects.toEqual(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

it('links in a circle come to an end', async () => {
  await write('root/a/x.md', 'root/b/y.md');
  await symlink('..', join(root, 'a', 'up'));
  await symlink('../b', join(root, 'a', 'b'));
  await symlink('../a', join(root, 'b', 'a'));
  await symlink('self', join(root, 'self'));
  const uris = await find('.');
  expect(uris).toEqual(['a/b/y.md', 'a/x.md', 'b/a/x.md', 'b/y.md', 'INPUT_INVALID self']);
});

async function read(source: string, maxFileBytes?: number): Promise<Uint8Array> {
  const [found] = await createSourceFinder({ cwd: root, maxFileBytes }).resolve([source], {});
  for await (const file of found?.files() ?? []) {
    if ('error' in file) throw file.error;
    return await file.read();
  }
  throw new Error('nothing found');
}

/** The superuser may read everything, so that permissions can only be seen as somebody else. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
