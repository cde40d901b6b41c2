import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultStorePath, loadSettings } from '../../src/cli/settings.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotrag-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const place = (options: object = {}) => ({ cwd: folder, env: {}, home: '/home/x', platform: 'linux', ...options });
const flags = (entries: Record<string, string> = {}, configFile?: string) => ({
  config: new Map(Object.entries(entries)),
  configFile,
});

describe('the store’s folder', () => {
  it('is the nearest .hotrag upward', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    mkdirSync(join(folder, '.hotrag'));
    expect(defaultStorePath(place({ cwd: join(folder, 'a', 'b') }))).toBe(join(folder, '.hotrag'));
    mkdirSync(join(folder, 'a', '.hotrag'));
    expect(defaultStorePath(place({ cwd: join(folder, 'a', 'b') }))).toBe(join(folder, 'a', '.hotrag'));
  });

  it('is not a file of that name', () => {
    writeFileSync(join(folder, '.hotrag'), '');
    expect(defaultStorePath(place())).toBe(join('/home/x', '.local', 'share', 'hotrag'));
  });

  it('is else the user’s data folder, by the customs of the system', () => {
    expect(defaultStorePath(place({ env: { XDG_DATA_HOME: '/data' } }))).toBe(join('/data', 'hotrag'));
    expect(defaultStorePath(place({ env: { XDG_DATA_HOME: 'data' } }))).toBe(join('/home/x', '.local', 'share', 'hotrag'));
    expect(defaultStorePath(place({ platform: 'darwin' }))).toBe(join('/home/x', 'Library', 'Application Support', 'hotrag'));
    expect(defaultStorePath(place({ platform: 'win32', env: { LOCALAPPDATA: '/local' } }))).toBe(join('/local', 'hotrag'));
  });
});

describe('loadSettings', () => {
  it('takes paths of a file from the file’s folder, others from the working folder', async () => {
    mkdirSync(join(folder, 'conf'));
    const file = join('conf', 'c.json');
    writeFileSync(join(folder, file), JSON.stringify({ store: { type: 'memory', path: 'data' }, roots: ['docs'] }));
    const settings = loadSettings(place(), flags({}, file));
    expect(settings).toMatchObject({ storePath: join(folder, 'conf', 'data'), roots: [join(folder, 'conf', 'docs')] });
    expect(await settings.check()).toMatchObject({ store: { path: settings.storePath }, roots: settings.roots });
    expect(loadSettings(place(), flags({ 'store-path': 'x' }, file)).storePath).toBe(join(folder, 'x'));
    expect(loadSettings(place({ env: { HOTRAG_CONFIG: file } }), flags()).storePath).toBe(join(folder, 'conf', 'data'));
  });

  it('finds hotrag.config.json in the working folder, and gives remote stores a folder too', async () => {
    writeFileSync(join(folder, 'hotrag.config.json'), JSON.stringify({ store: { type: 'chroma', uri: 'http://x' } }));
    const settings = loadSettings(place(), flags());
    expect((await settings.check()).store).toMatchObject({ type: 'chroma', path: join('/home/x', '.local', 'share', 'hotrag') });
  });

  it('calls plain only what can’t be wrong', () => {
    const isPlain = (entries: Record<string, string>) => loadSettings(place(), flags(entries)).plain !== undefined;
    expect(isPlain({})).toBe(true);
    expect(isPlain({ collection: 'x', 'store-path': 'y', roots: '["z"]' })).toBe(true);
    expect(isPlain({ store: 'chroma' })).toBe(false);
    expect(isPlain({ store: 'memry' })).toBe(false);
    expect(isPlain({ 'store-uri': 'x' })).toBe(false);
    expect(isPlain({ roots: '[1]' })).toBe(false);
    expect(isPlain({ 'ingest-concurrency': '0' })).toBe(false);
  });
});
