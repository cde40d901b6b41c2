import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The bench of crashes in short, over the sources. */
describe('bench/crash', { timeout: 180_000 }, () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  let folder: string;
  let sdk: string;

  beforeAll(async () => {
    // In the package, where the engine finds what it ships beside its code.
    folder = await mkdtemp(join(root, 'node_modules', '.hotrag-crash-test-'));
    sdk = join(folder, 'sdk.mjs');
    // The bundle looks for the vector kernel in its package.
    await writeFile(join(folder, 'package.json'), '{"name":"hotrag"}');
    await cp(join(root, 'dist/kernel'), join(folder, 'dist/kernel'), { recursive: true });
    await build({
      entryPoints: [join(root, 'src/sdk/index.ts')],
      outfile: sdk,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      plugins: [
        {
          name: 'packages-by-address',
          setup({ onResolve }) {
            onResolve({ filter: /^[@a-z]/ }, ({ path }) => {
              // An optional package that isn't there is left to fail when it is needed.
              try {
                return { path: import.meta.resolve(path), external: true };
              } catch {
                return { path, external: true };
              }
            });
          },
        },
      ],
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('finds nothing lost after 15 kills, and nothing unseen in 5 seconds', async () => {
    const script = join(folder, 'run.mjs');
    const bench = JSON.stringify(pathToFileURL(join(root, 'bench/crash.mjs')).href);
    const words = JSON.stringify(['--kills', '15', '--seconds', '5']);
    await writeFile(script, `const { run } = await import(${bench});\nprocess.exitCode = await run(${words});\n`);
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, HOTRAG_SDK: pathToFileURL(sdk).href },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    const [code] = await once(child, 'close');
    expect(output).toMatch(/^15 writers killed: \d+ writes acknowledged, 0 failures;/m);
    expect(output).toMatch(/^1 writer and 3 readers for 5 s: \d+ writes, [1-9]\d* queries, .* 0 failures/m);
    expect(code, output).toBe(0);
  });
});
