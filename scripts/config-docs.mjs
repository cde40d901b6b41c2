// Writes docs/config.schema.json and docs/config.md from the one schema of the configuration; with --check, fails where they differ.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const outDir = path(`node_modules/.cache/config-docs-${process.pid}`);
const files = new Map();
try {
  const { configSchema, z } = await load('src/sdk/config-schema.ts', 'schema');
  const schema = { $schema: undefined, title: 'hotrag configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
  files.set('docs/config.schema.json', `${JSON.stringify(schema, null, 2)}\n`);
  update('docs/config.schema.json');
  const { configOptions } = await load('src/sdk/config-options.ts', 'options');
  files.set('docs/config.md', markdown(configOptions()));
  update('docs/config.md');
} finally {
  rmSync(outDir, { recursive: true, force: true });
}

/** A source file, built, with all that it imports but packages. */
async function load(file, name) {
  await build({ entry: { [name]: path(file) }, outDir, format: 'esm', config: false, silent: true, splitting: false, clean: false, dts: false, target: 'node20', outExtension: () => ({ js: '.mjs' }) });
  return import(new URL(`../node_modules/.cache/config-docs-${process.pid}/${name}.mjs`, import.meta.url));
}
