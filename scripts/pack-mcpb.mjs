// npm run pack:mcpb [-- FILE]: a bundle (.mcpb) that desktop assistants install by a double click: the package with all it depends on, for
// the system that this runs on, because the embedded store's library is native. Needs a build.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = 'node_modules/hotrag/dist/cli/main.js';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const target = resolve(process.argv[2] ?? `hotrag-${manifest.version}-${process.platform}-${process.arch}.mcpb`);
const work = mkdtempSync(join(tmpdir(), 'hotrag-mcpb-'));
try {
  const bundle = join(work, 'bundle');
  mkdirSync(bundle);
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', work], ROOT));
  writeFileSync(join(bundle, 'package.json'), '{ "private": true }');
  npm(['install', join(work, filename), '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], bundle);
  // 51 MB of a Chroma server, which its client can start and hotrag doesn't.
  for (const name of readdirSync(join(bundle, 'node_modules'))) {
    if (name.startsWith('chromadb-js-bindings-')) rmSync(join(bundle, 'node_modules', name), { recursive: true });
  }
  cpSync(join(ROOT, 'LICENSE'), join(bundle, 'LICENSE'));
  writeFileSync(join(bundle, 'manifest.json'), `${JSON.stringify(describe(manifest), undefined, 2)}\n`);
  const bytes = zip(
    filesOf(bundle).map((path) => ({ name: relative(bundle, path).split(sep).join('/'), data: readFileSync(path) })),
  );
  writeFileSync(target, bytes);
  console.log(`${target}: ${(bytes.length / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function describe({ name, version, description, license, keywords, engines }) {
  return {
    manifest_version: '0.3',
    name,
    version,
    description,
    author: { name: 'The hotrag contributors' },
    license,
    keywords,
    server: {
      type: 'node',
      entry_point: MAIN,
      // A directory that may be given several times becomes so many arguments.
      mcp_config: { command: 'node', args: [`\${__dirname}/${MAIN}`, 'serve', `\${user_config.folders}`] },
    },
    tools_generated: true,
    user_config: {
      folders: {
        type: 'directory',
        title: 'Folders',
        description: 'Folders with the documents to search.',
        multiple: true,
        required: true,
      },
    },
    compatibility: { platforms: [process.platform], runtimes: { node: engines.node } },
  };
}

/** A zip archive, as PKWARE's APPNOTE 6.3 describes it; no part of it comes near the size where it would need ZIP64. */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, data } of files) {
    const packed = deflateRawSync(data, { level: 9 });
    const title = Buffer.from(name);
    // Version 2.0, names in UTF-8, deflated, 1980-01-01: the same files give the same archive.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0x0021, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(title.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, title]);
    parts.push(head, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, title]));
    offset += head.length + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}

function filesOf(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => !path.endsWith(`${sep}.bin`)) // links, which no assistant needs
    .flatMap((path) => (statSync(path).isDirectory() ? filesOf(path) : [path]));
}

function npm(words, cwd) {
  const [command, ...first] = process.platform === 'win32' ? ['cmd', '/c', 'npm'] : ['npm'];
  const { status, stdout, stderr } = spawnSync(command, [...first, ...words], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`npm ${words.join(' ')} ended with ${status}\n${stderr}`);
  return stdout;
}
