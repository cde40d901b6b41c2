import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const MEGABYTE = 1_000_000;
/** The embedder's model takes 7.9 MB of it, the character maps of PDF 1.2. More is a decision. */
const BUDGET = { packed: 9.5 * MEGABYTE, unpacked: 13.5 * MEGABYTE, files: 450 };

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let packed: Packed;
let paths: readonly string[];
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/cli/main.js'))) throw new Error('dist is missing: run `npm run build` first');
  folder = mkdtempSync(join(tmpdir(), 'hotrag-packed-'));
  const words = ['pack', '--json', '--offline', '--ignore-scripts', '--pack-destination', folder];
  const { stdout, stderr } = spawnSync('npm', words, { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' });
  const [first]: readonly Packed[] = JSON.parse(stdout === '' ? stderr : stdout);
  if (first === undefined) throw new Error('npm packed nothing');
  packed = first;
  paths = packed.files.map(({ path }) => path);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('holds nothing else than it needs, within its size', () => {
    const wanted = [
      /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|ARCHITECTURE\.md|CONTRIBUTING\.md)$/,
      /^docs\/(?:[\w-]+\/)?[\w-]+\.md$/,
      /^docs\/config\.schema\.json$/,
      /^docs\/images\/[\w-]+\.svg$/,
      /^models\/static-en-256\/[\w.-]+$/,
      /^dist\/(?:[\w-]+\/)*[\w-]+(?:\.d)?\.(?:js|ts)$/,
      /^dist\/cmaps\/[\w-]+(?:\.bcmap)?$/,
      /^dist\/kernel\/[\w-]+\.wasm$/,
      /^dist\/page\/[\w.-]+$/,
    ];
    expect(paths.filter((path) => !wanted.some((pattern) => pattern.test(path)))).toEqual([]);
    expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
    expect(packed.size).toBeLessThan(BUDGET.packed);
    expect(packed.unpackedSize).toBeLessThan(BUDGET.unpacked);
    expect(paths.length).toBeLessThan(BUDGET.files);
  });

  it('holds every file that its code imports, and names every package that it imports', () => {
    const known = new Set(paths);
    const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies ?? {})];
    const missing = paths
      .filter((path) => /^dist\/.*\.js$/.test(path))
      .flatMap((path) => specifiersOf(readFileSync(join(ROOT, path), 'utf8')).map((specifier) => ({ path, specifier })))
      .filter(({ path, specifier }) => {
        if (specifier.startsWith('.')) return !known.has(posix.join(dirname(path), specifier));
        return !isBuiltin(specifier) && !packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
      });
    expect(missing).toEqual([]);
  });

  it('holds every file that its documents lead to', () => {
    const known = new Set(paths);
    const missing = paths
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        linksOf(readFileSync(join(ROOT, path), 'utf8')).map((link) => ({ path, to: posix.join(dirname(path), link) })),
      )
      .filter(({ to }) => !known.has(to));
    expect(missing).toEqual([]);
  });

  it('runs no script when it is installed', () => {
    for (const name of ['preinstall', 'install', 'postinstall']) expect(manifest.scripts).not.toHaveProperty(name);
  });

  it('is what server.json tells the registry of MCP servers', () => {
    const { name, version, description, packages } = JSON.parse(readFileSync(join(ROOT, 'server.json'), 'utf8'));
    expect({ name, version }).toEqual({ name: manifest.mcpName, version: manifest.version });
    expect(packages).toMatchObject([{ identifier: manifest.name, version: manifest.version, transport: { type: 'stdio' } }]);
    expect(description.length).toBeLessThanOrEqual(100); // its limit
  });

  it('has a bin whose first file an old Node can read, since it imports nothing before it looks at the version', () => {
    const bin = readFileSync(join(ROOT, manifest.bin.hotrag), 'utf8');
    expect(bin.startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(bin).not.toMatch(/^\s*(?:import|export)\b(?!\()/m);
    // Words that the first Node with ES modules didn't know.
    expect(bin).not.toMatch(/\?\?|\?\.|#\w+\s*[=(]|\bawait\b/);
  });

  it('is what its package.json says, by publint', async () => {
    const { messages } = await publint({
      strict: true,
      pack: { tarball: new Uint8Array(readFileSync(join(folder, packed.filename))).buffer },
    });
    expect(messages.map(({ code, path }) => `${code} at ${path.join('.')}`)).toEqual([]);
  }, 60_000);

  it('has types that fit its code, by arethetypeswrong', () => {
    const cli = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const words = [cli, join(folder, packed.filename), '--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  }, 120_000);

  it('exports what api/ says, and not by accident something else', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/api-report.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 120_000);
});

/** What a module imports, statically or not. */
function specifiersOf(code: string): readonly string[] {
  const found = code.matchAll(/(?:^\s*(?:import|export)\b[^'"();]*?(?:from\s*)?|\bimport\()\s*["']([^"'\s]+)["']/gm);
  return [...found].flatMap(([, specifier]) => specifier ?? []);
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** Relative links of a document, without the place inside. */
function linksOf(markdown: string): readonly string[] {
  const links = [...markdown.replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(
    ([, link]) => link ?? [],
  );
  return links.filter((link) => !/^[a-z]+:/i.test(link));
}
