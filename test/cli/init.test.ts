import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENT_NAMES, CLIENTS } from '../../src/cli/init/clients.js';
import { defaultVia } from '../../src/cli/init/entry.js';
import { plainValue, readTree } from '../../src/cli/init/json-tree.js';
import { mergeEntry } from '../../src/cli/init/merge.js';
import { replaceFile } from '../../src/cli/init/replace-file.js';
import { runProgram } from '../../src/cli/program.js';
import { makeFolder } from '../support/folder.js';
import { fakeHost } from './fake-host.js';

const ENTRY = { command: 'npx', args: ['-y', 'hotrag', 'serve', '/notes'] };
const merge = (text: string | undefined, more: Partial<Parameters<typeof mergeEntry>[0]> = {}) =>
  mergeEntry({ file: '/x/mcp.json', text, key: 'servers', name: 'hotrag', entry: ENTRY, replace: false, ...more });

describe('an entry is merged into a file', () => {
  it('that is not there, or empty', () => {
    const whole = `${JSON.stringify({ servers: { hotrag: ENTRY } }, undefined, 2)}\n`;
    expect(merge(undefined)).toBe(whole);
    expect(merge(' \n')).toBe(whole);
  });

  it('with comments, trailing commas and an indentation of its own, all of which stay', () => {
    const text = [
      '// what I use',
      '{',
      '\t"inputs": [1, 2,], // asked for',
      '\t"servers": {',
      '\t\t/* the first */ "one": { "command": "a" }, // mine',
      '\t\t// nothing after this',
      '\t},',
      '}',
      '',
    ].join('\r\n');
    expect(merge(text)?.split('\r\n')).toEqual([
      '// what I use',
      '{',
      '\t"inputs": [1, 2,], // asked for',
      '\t"servers": {',
      '\t\t/* the first */ "one": { "command": "a" }, // mine',
      '\t\t// nothing after this',
      '\t\t"hotrag": {',
      '\t\t\t"command": "npx",',
      '\t\t\t"args": [',
      '\t\t\t\t"-y",',
      '\t\t\t\t"hotrag",',
      '\t\t\t\t"serve",',
      '\t\t\t\t"/notes"',
      '\t\t\t]',
      '\t\t}',
      '\t},',
      '}',
      '',
    ]);
  });

  it('on one line, or without the object of servers', () => {
    const [first, second] = [merge('{"a":1,"servers":{"one":{}}}'), merge('{\n    "a": 1 // one\n}')];
    expect(JSON.parse(first ?? '')).toEqual({ a: 1, servers: { one: {}, hotrag: ENTRY } });
    expect(second).toContain('    "a": 1, // one\n    "servers": {\n        "hotrag": {\n            "command": "npx",');
    expect(JSON.parse(merge('{}') ?? '')).toEqual({ servers: { hotrag: ENTRY } });
    expect(merge('\uFEFF{ "servers": {} }')?.startsWith('\uFEFF{ "servers": {\n')).toBe(true);
    expect(merge('{"a":1, // last\n}')).toMatch(/^\{"a":1, \/\/ last\n {2}"servers"/);
    expect(merge('{"servers":{ /* none */ }}')).toContain('/* none */\n  "hotrag": {');
  });

  it('only once, and over another one only when told to', () => {
    const once = merge('{"servers":{"other":{"command":"b"}}}') ?? '';
    expect(merge(once)).toBeUndefined();
    const others = { ...ENTRY, command: 'node' };
    expect(() => merge(once, { entry: others })).toThrow(
      /\/x\/mcp\.json: has another entry "hotrag" already; .*--name.*--replace.*untouched/,
    );
    expect(JSON.parse(merge(once, { entry: others, replace: true }) ?? '')).toEqual({
      servers: { other: { command: 'b' }, hotrag: others },
    });
    expect(JSON.parse(merge(once, { name: '__proto__' }) ?? '')).toEqual(
      JSON.parse(
        JSON.stringify({ servers: { other: { command: 'b' }, hotrag: ENTRY } }).replace(
          /}}$/,
          `,"__proto__":${JSON.stringify(ENTRY)}}}`,
        ),
      ),
    );
  });

  it.each([
    ['{ "servers": { "a": 1 "b": 2 } }', 'line 1, column 23: a comma or } should stand here'],
    ['{\n  "servers": {\n', 'it ends at line 3, column 1, where a name in double quotes or } should stand'],
    ["{ 'servers': {} }", 'line 1, column 3: a name in double quotes or } should stand here'],
    ['{ "servers": {} } x', 'line 1, column 19: nothing more should stand here'],
    ['{ "servers": {} /* open', 'line 1, column 17: a comma or } should stand here'],
    ['{ "a": 01 }', 'line 1, column 8: a value should stand here'],
    ['// only this', 'it ends at line 1, column 13, where a value should stand'],
    ['[]', 'must hold an object'],
    ['{ "servers": [] }', '"servers" in it must be an object'],
    [`{"a":${'['.repeat(300)}`, 'nothing nested deeper than 200 levels'],
  ])('is refused where %s', (text, problem) => {
    expect(() => merge(text)).toThrow(problem);
    expect(() => merge(text)).toThrow('/x/mcp.json: ');
  });

  it('of any content, which stays as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, 3, '\t'), (content, indent) => {
        const { servers: _, ...rest } = content;
        const text = JSON.stringify(rest, undefined, indent);
        const after = merge(text) ?? '';
        expect(JSON.parse(after)).toEqual(JSON.parse(JSON.stringify({ ...JSON.parse(text), servers: { hotrag: ENTRY } })));
        const reading = readTree(text);
        expect(reading.ok && plainValue(reading.root)).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('the file of a client', () => {
  const place = (platform: string, env: Record<string, string> = {}) => ({ platform, env, home: '/home/x' });
  it('is where it belongs on each platform', () => {
    const files = (at: ReturnType<typeof place>) => CLIENT_NAMES.map((name) => CLIENTS[name].userFile(at));
    expect(files(place('linux'))).toEqual([
      '/home/x/.config/Claude/claude_desktop_config.json',
      '/home/x/.claude.json',
      '/home/x/.cursor/mcp.json',
      '/home/x/.config/Code/User/mcp.json',
      '/home/x/.codeium/windsurf/mcp_config.json',
      undefined,
    ]);
    expect(CLIENTS['claude-desktop'].userFile(place('darwin'))).toBe(
      '/home/x/Library/Application Support/Claude/claude_desktop_config.json',
    );
    expect(CLIENTS.vscode.userFile(place('win32', { APPDATA: '/roaming' }))).toBe('/roaming/Code/User/mcp.json');
    expect(CLIENTS.vscode.userFile(place('linux', { XDG_CONFIG_HOME: '/cfg' }))).toBe('/cfg/Code/User/mcp.json');
    expect(CLIENTS['claude-code'].userFile(place('linux', { CLAUDE_CONFIG_DIR: '/cc' }))).toBe('/cc/.claude.json');
  });

  it('is replaced as one step, with its permissions, through a link, and a backup beside it', async () => {
    const folder = makeFolder({ 'real.json': '{ "a": 1 }' });
    const [real, link] = [join(folder, 'real.json'), join(folder, 'link.json')];
    symlinkSync(real, link);
    const signal = new AbortController().signal;
    const backup = await replaceFile(link, {
      before: '{ "a": 1 }',
      after: '{}',
      now: new Date('2026-01-02T03:04:05.678Z'),
      signal,
    });
    expect(backup).toBe(`${real}.backup-20260102T030405678Z`);
    expect(readFileSync(backup ?? '', 'utf8')).toBe('{ "a": 1 }');
    expect(readFileSync(real, 'utf8')).toBe('{}');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('stays as it is when it was changed meanwhile, and when the command is interrupted', async () => {
    const folder = makeFolder({ 'a.json': 'theirs' });
    const file = join(folder, 'a.json');
    const signal = new AbortController().signal;
    await expect(replaceFile(file, { before: 'mine', after: '{}', now: new Date(), signal })).rejects.toThrow(
      'was changed by another program',
    );
    const aborted = AbortSignal.abort('SIGINT');
    await expect(replaceFile(file, { before: 'theirs', after: '{}', now: new Date(), signal: aborted })).rejects.toBe('SIGINT');
    expect(readdirSync(folder)).toEqual(['a.json']);
    expect(readFileSync(file, 'utf8')).toBe('theirs');
  });
});

describe('hotrag init', () => {
  async function init(words: readonly string[], options: Parameters<typeof fakeHost>[0] = {}) {
    const home = makeFolder({ 'notes/a.md': 'A' });
    const { host, written } = fakeHost({ cwd: join(home, 'notes'), home, ...options });
    return { home, status: await runProgram(['init', ...words], host), written };
  }

  it('writes the entry, tells where, and does nothing the second time', async () => {
    const { home, status, written } = await init(['vscode', '--collection', 'docs'], { terminal: 40 });
    const file = join(home, '.config/Code/User/mcp.json');
    expect(status).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      servers: {
        hotrag: {
          type: 'stdio',
          command: process.execPath,
          args: [expect.stringMatching(/dist\/cli\/main\.js$/), 'serve', join(home, 'notes'), '--collection', 'docs'],
        },
      },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(written.stdout).toContain(file);
    const again = await init(['vscode', '--collection', 'docs', '--json'], { home, cwd: join(home, 'notes') });
    expect(JSON.parse(again.written.stdout)).toMatchObject({ client: 'vscode', changed: false, file });
    expect(readdirSync(join(home, '.config/Code/User'))).toEqual(['mcp.json']);
  });

  it('takes along what a client’s working folder and environment would not bring, but no secret', async () => {
    const home = makeFolder({ 'notes/.hotrag/x': '', 'notes/sub/a.md': 'A' });
    const cwd = join(home, 'notes', 'sub');
    const env = { HOTRAG_STORE_INDEX: 'flat', HOTRAG_SERVER_TOKEN: 'a-secret-of-16-letters' };
    const { status, written } = await init(['generic', '--print', '--root', '..'], { home, cwd, env });
    expect(status).toBe(0);
    const { args } = JSON.parse(written.stdout).mcpServers.hotrag;
    expect(args.slice(1)).toEqual([
      'serve',
      cwd,
      '--store-index',
      'flat',
      '--path',
      join(home, 'notes/.hotrag'),
      '--root',
      join(home, 'notes'),
    ]);
    expect(written.stderr).toContain('HOTRAG_SERVER_TOKEN is a secret and not written');
    expect(written.stdout + written.stderr).not.toContain('a-secret');
  });

  it('only shows with --print, and names the configuration file', async () => {
    const { home, written, status } = await init(['cursor', '--print', '--via', 'npx'], {});
    expect(status).toBe(0);
    expect(JSON.parse(written.stdout)).toEqual({
      mcpServers: { hotrag: { command: 'npx', args: ['-y', 'hotrag', 'serve', join(home, 'notes')] } },
    });
    expect(written.stderr).toBe(`hotrag: for ${join(home, '.cursor', 'mcp.json')}\n`);
    expect(readdirSync(home)).toEqual(['notes']);
    writeFileSync(join(home, 'notes', 'hotrag.config.json'), '{ "collection": "c" }');
    const configured = await init(['cursor', '--print'], { home, cwd: join(home, 'notes') });
    expect(configured.written.stdout).toContain(join(home, 'notes', 'hotrag.config.json'));
    const windows = await init(['cursor', '--print', '--via', 'npx'], { platform: 'win32' });
    expect(JSON.parse(windows.written.stdout).mcpServers.hotrag).toMatchObject({
      command: 'cmd',
      args: expect.arrayContaining(['/c', 'npx']),
    });
    expect(defaultVia(join('/home/x/.npm/_npx/1/node_modules/hotrag/dist/cli/main.js'))).toBe('npx');
  });

  it('writes a project’s file where the client reads one', async () => {
    const { home } = await init(['claude-code', '--project']);
    expect(JSON.parse(readFileSync(join(home, 'notes/.mcp.json'), 'utf8')).mcpServers.hotrag.type).toBe('stdio');
    expect((await init(['windsurf', '--project'])).written.stderr).toContain('Windsurf reads no file of a project');
  });

  it('keeps every other entry and puts the old file beside', async () => {
    const text = '{\n  // keep\n  "mcpServers": { "other": { "command": "x" } }\n}\n';
    const home = makeFolder({ 'notes/a.md': 'A', '.cursor/mcp.json': text });
    const { status, written } = await init(['cursor', '--json'], { home, cwd: join(home, 'notes') });
    expect(status).toBe(0);
    const { backup } = JSON.parse(written.stdout);
    expect(readFileSync(backup, 'utf8')).toBe(text);
    expect(readFileSync(join(home, '.cursor/mcp.json'), 'utf8')).toContain(
      '  // keep\n  "mcpServers": { "other": { "command": "x" },\n',
    );
  });

  it('leaves a file that is no JSON as it is', async () => {
    const home = makeFolder({ 'notes/a.md': 'A', '.cursor/mcp.json': '{ "mcpServers": {,} }' });
    const { status, written } = await init(['cursor'], { home, cwd: join(home, 'notes') });
    expect(status).toBe(2);
    expect(written.stderr).toContain('is no valid JSON: line 1, column 18: a name in double quotes or } should stand here');
    expect(readFileSync(join(home, '.cursor/mcp.json'), 'utf8')).toBe('{ "mcpServers": {,} }');
    expect(readdirSync(join(home, '.cursor'))).toEqual(['mcp.json']);
  });

  it('says in clear words when the home folder can’t be written', async () => {
    const home = makeFolder({ 'notes/a.md': 'A', '.cursor': 'a file where a folder should be' });
    const { status, written } = await init(['cursor'], { home, cwd: join(home, 'notes') });
    expect(status).toBe(1);
    expect(written.stderr).toMatch(
      /^hotrag: FORBIDDEN .*mcp\.json: can't be (?:read|written) \(ENOTDIR\); show the entry with --print/,
    );
  });

  it('names the right client, and wants a folder where the working folder is none to serve', async () => {
    expect((await init(['curser'])).written.stderr).toContain('did you mean cursor?');
    expect((await init([])).written.stderr).toContain(
      'hotrag init needs <claude-desktop|claude-code|cursor|vscode|windsurf|generic>',
    );
    const home = makeFolder();
    mkdirSync(join(home, 'x'));
    expect((await init(['cursor'], { home, cwd: home })).written.stderr).toContain('--folder: ');
    expect((await init(['cursor', '--folder', 'gone'], { home, cwd: home })).written.stderr).toContain('NOT_FOUND --folder: ');
    const interrupted = await init(['cursor'], { signal: AbortSignal.abort('SIGINT') });
    expect(interrupted.status).toBe(130);
    expect(readdirSync(interrupted.home)).toEqual(['notes']);
  });
});
