import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
/** Each layer, with those it may import. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  adapters: ['core', 'adapters'],
  sdk: ['core', 'adapters', 'sdk'],
  server: ['core', 'sdk', 'server'],
  cli: ['core', 'adapters', 'sdk', 'server', 'cli'],
};

const files = listFiles(SRC);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

describe('architecture', () => {
  it.each(Object.keys(LAYERS))('%s imports only what stands left of it', (layer) => {
    const wrong = files
      .filter((file) => layerOf(file) === layer)
      .flatMap((file) => (imports.get(file) ?? []).map((target) => ({ file: relative(SRC, file), target })))
      .filter(({ target }) => target.endsWith('.ts') && !LAYERS[layer]?.includes(layerOf(target)))
      .map(({ file, target }) => `${file} -> ${relative(SRC, target)}`);
    expect(wrong).toEqual([]);
  });

  it('core imports no package at all', () => {
    const wrong = files
      .filter((file) => layerOf(file) === 'core')
      .flatMap((file) =>
        (imports.get(file) ?? [])
          .filter((target) => !target.startsWith('/'))
          .map((target) => `${relative(SRC, file)} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('only the protocol folder imports the protocol libraries', () => {
    const wrong = files
      .filter((file) => !relative(SRC, file).startsWith('server/protocol/'))
      .filter((file) => (imports.get(file) ?? []).some((target) => target.startsWith('@modelcontextprotocol/')));
    expect(wrong).toEqual([]);
  });

  it('imports zod as a namespace, which lets the bundler leave its fifty locales out of the bin', () => {
    const wrong = files.filter((file) => /^import \{.*\} from 'zod'/m.test(readFileSync(file, 'utf8')));
    expect(wrong.map((file) => relative(SRC, file))).toEqual([]);
  });

  it('has no import cycles, types aside', () => {
    const cycles: string[] = [];
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].map((one) => relative(SRC, one)).join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const target of imports.get(file) ?? []) if (target.startsWith('/')) visit(target, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('every import between own files names a file', () => {
    const known = new Set(files);
    const wrong = [...imports].flatMap(([file, targets]) =>
      targets
        .filter((target) => target.endsWith('.ts') && !known.has(target))
        .map((target) => `${relative(SRC, file)} -> ${relative(SRC, target)}`),
    );
    expect(wrong).toEqual([]);
  });
});

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return listFiles(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

/** Absolute paths of own files, names of packages; imports of types alone don't count, those at run time do. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /^(?:import|export)\s+(?!type\b)(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  const atRunTime = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...text.matchAll(pattern), ...text.matchAll(atRunTime)]
    .map(([, target = '']) => target)
    .filter((target) => !target.startsWith('node:'))
    .map((target) => (target.startsWith('.') ? resolve(dirname(file), target).replace(/\.js$/, '.ts') : target));
}

function layerOf(file: string): string {
  return relative(SRC, file).split('/')[0] ?? '';
}
