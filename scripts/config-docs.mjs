// Writes docs/config.schema.json and docs/config.md from the one schema of the configuration; with --check, fails where they differ.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import * as z from 'zod';

const INTRODUCTION = `# Configuration

<!-- Written by scripts/config-docs.mjs from src/sdk/config-schema.ts. Don't edit it here. -->

Every option can be set in four places. The first that sets it wins:

1. a flag of the command line: \`--store-path ./data\`
2. a variable of the environment: \`HOTRAG_STORE_PATH=./data\`
3. the configuration file: \`hotrag.config.json\` in the working folder, or the one that \`--config\` or \`HOTRAG_CONFIG\` names
4. its default

The SDK's \`openRag\` takes the same options as an object and reads neither file nor environment.

\`\`\`json
{
  "$schema": "./node_modules/hotrag/docs/config.schema.json",
  "collection": "docs",
  "store": { "type": "milvus", "uri": "http://localhost:19530", "index": { "type": "HNSW", "M": 32 } },
  "generator": [{ "type": "ollama", "model": "qwen3:4b" }],
  "metadata": { "year": "number", "tags": "string[]" }
}
\`\`\`

- \`store\`, \`embedder\` and \`generator\` are parts: their \`type\` says which options they have. On the command line the bare name sets the type
  (\`--store milvus\`), or takes the whole part as JSON. Naming another type than the places below replaces what they say of the part.
- Objects and lists are JSON in flags and variables. A list of folders may also be written as in PATH: \`HOTRAG_ROOTS=/a:/b\` (\`;\` on Windows).
- \`--path\` and \`--uri\` are short for \`--store-path\` and \`--store-uri\`; \`--root\`, which may be repeated, for \`--roots\`.
- Under \`hotrag ingest\`, \`--metadata\` is the documents' metadata; fields are declared in the file or by \`HOTRAG_METADATA\`.
- Paths in the file are relative to its folder, others to the working folder.
- An unknown option or flag is an error that names the nearest right one. An unknown \`HOTRAG_…\` variable is a warning, because it may be
  another program's. An empty value is an error: leave the option out instead.
- A secret comes from the environment or the file, never from a flag, which every user of the machine can see. It is masked wherever
  configuration is shown.`;

const outDir = `node_modules/.cache/config-docs-${process.pid}`;
const fromRoot = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

try {
  const { configSchema } = await load('src/sdk/config-schema.ts', 'schema');
  const schema = { title: 'hotrag.config.json', ...z.toJSONSchema(configSchema, { io: 'input' }) };
  update('docs/config.schema.json', `${JSON.stringify(schema, null, 2)}\n`);
  // It reads the file that was just written.
  const { configOptions, alternativesOf, typeOf } = await load('src/sdk/config-options.ts', 'options');
  update('docs/config.md', markdown(configOptions(), { alternativesOf, typeOf }));
} finally {
  rmSync(fromRoot(outDir), { recursive: true, force: true });
}

/** A source file, built together with what it imports, packages aside. */
async function load(file, name) {
  const entry = { [name]: fromRoot(file) };
  await build({
    entry,
    outDir: fromRoot(outDir),
    format: 'esm',
    target: 'node20',
    config: false,
    silent: true,
    outExtension: () => ({ js: '.mjs' }),
  });
  return import(new URL(`../${outDir}/${name}.mjs`, import.meta.url));
}

function update(file, text) {
  if (process.argv.includes('--check')) {
    if (canonical(file, readFileSync(fromRoot(file), 'utf8')) === canonical(file, text)) return;
    console.error(`${file} is not what the schema says: run node scripts/config-docs.mjs`);
    process.exitCode = 1;
    return;
  }
  writeFileSync(fromRoot(file), text);
  if (file.endsWith('.json')) spawnSync('npx', ['biome', 'format', '--write', file], { cwd: fromRoot('.'), stdio: 'ignore' });
}

/** The formatter has its own mind about line breaks in JSON. */
function canonical(file, text) {
  return file.endsWith('.json') ? JSON.stringify(JSON.parse(text)) : text;
}

function markdown(options, { alternativesOf, typeOf }) {
  const inParts = options.filter(({ path, kinds }) => path.length === 1 && kinds.has('part'));
  const partNames = inParts.map(({ path }) => path[0]);
  const general = options.filter(({ path, kinds }) => !partNames.includes(path[0]) || kinds.has('part'));
  return [
    INTRODUCTION,
    `## Options\n\n${table(general.map((option) => row(option, option.variants[0].schema)))}`,
    ...inParts.flatMap(({ path: [part], variants: [{ schema }] }) =>
      alternativesOf(schema).flatMap((node) => {
        const type = typeOf(node);
        if (type === undefined) return [];
        const own = options.filter(({ path, kinds }) => path[0] === part && !kinds.has('part'));
        const rows = own.flatMap((option) => {
          const variant = option.variants.find(({ of }) => of === type);
          return variant === undefined ? [] : [row(option, variant.schema)];
        });
        const settings = rows.length === 0 ? 'It has no settings.' : table(rows);
        return [`## \`${part}\`: \`${type}\`\n\n${node.description}\n\n${settings}`];
      }),
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function row({ path, flag, env, secret }, schema) {
  const names = [`\`${path.join('.')}\``, secret ? 'none: it is a secret' : `\`--${flag}\``, `\`${env}\``];
  return [
    ...names,
    schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    `${schema.description ?? ''}${choices(schema)}`,
  ];
}

function choices({ enum: values, minimum, maximum }) {
  if (values !== undefined) return ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;
  return minimum === undefined || maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : ` ${minimum} to ${maximum}.`;
}

function table(rows) {
  const lines = [['option', 'flag', 'variable', 'default', 'meaning'], ['---', '---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
