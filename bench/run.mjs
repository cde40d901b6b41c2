// node bench/run.mjs <name> [arguments]: prints the machine and the command, then runs bench/<name>.mjs on the built package.
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

const [name = '', ...rest] = process.argv.slice(2);
const file = new URL(`./${name}.mjs`, import.meta.url);
if (!existsSync(file) || !/^[a-z-]+$/.test(name)) {
  console.error(
    `usage: node bench/run.mjs quality|ingest|load|loaders|start|keyword|stores|inference|engine|engines|growth [arguments]; there is no bench '${name}'`,
  );
  process.exit(2);
}
if (!existsSync(new URL('../dist/sdk/index.js', import.meta.url))) {
  console.error('dist/ is missing: run `npm run build` first');
  process.exit(1);
}
const [{ model = 'unknown processor' } = {}] = cpus();
console.log(
  `machine: ${cpus().length} x ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}, ${process.platform}`,
);
console.log(`command: npm run bench:${name}${rest.length > 0 ? ` -- ${rest.join(' ')}` : ''}\n`);
const { run } = await import(file.href);
process.exitCode = await run(rest);
