import { resolve } from 'node:path';
import { defineCommand } from '../command.js';
import { createStyle } from '../terminal.js';
import { renderContents } from './backup.js';

/** `hotrag restore`: prints a RestoreReport. */
export const command = defineCommand({
  usage: '<file>',
  takes: { least: 1, most: 1 },
  flags: { force: { kind: 'switch', describe: 'Replace what the store holds, or a store that is damaged.' } },
  examples: ['hotrag restore docs.backup', 'hotrag restore /backups/docs.backup --path .hotrag --force'],
  async run({ host, positionals: [file = ''], flags, json, settings }) {
    const { store } = await settings.check();
    const { restoreStore } = await import('../../sdk/backup.js');
    const report = await restoreStore({ store, file: resolve(host.cwd, file), force: flags.force, signal: host.signal });
    if (json) {
      host.stdout.write(`${JSON.stringify(report)}\n`);
      return 0;
    }
    const style = createStyle(host, host.stdout);
    const { replaced, damaged } = report;
    host.stdout.write(
      [
        style.bold(`restored from ${style.foreign(report.file)}, made ${report.createdAt}`),
        ...(replaced.length > 0 ? [`replaced ${replaced.map((name) => style.foreign(name)).join(', ')}`] : []),
        ...(damaged === undefined ? [] : [`the damaged file is kept as ${style.foreign(damaged)}`]),
        renderContents(report, style),
      ].join('\n'),
    );
    return 0;
  },
});
