import { resolve } from 'node:path';
import type { BackupReport } from '../../sdk/backup.js';
import { defineCommand } from '../command.js';
import { createStyle, type Style } from '../terminal.js';

/** `hotrag backup`: prints a BackupReport. */
export const command = defineCommand({
  usage: '<file>',
  takes: { least: 1, most: 1 },
  flags: { force: { kind: 'switch', describe: 'Overwrite the file if it is there.' } },
  examples: ['hotrag backup docs.backup', 'hotrag backup /backups/docs.backup --path .hotrag --force'],
  async run({ host, positionals: [file = ''], flags, json, settings }) {
    const { store } = await settings.check();
    const { backupStore } = await import('../../sdk/backup.js');
    const report = await backupStore({ store, file: resolve(host.cwd, file), force: flags.force, signal: host.signal });
    host.stdout.write(json ? `${JSON.stringify(report)}\n` : renderReport(report, createStyle(host, host.stdout)));
    return 0;
  },
});

function renderReport(report: BackupReport, style: Style): string {
  return `${style.bold(`backed up to ${style.foreign(report.file)}`)}\n${renderContents(report, style)}`;
}

/** What is in a backup, a line each. */
export function renderContents({ collections, bytes, tookMs }: BackupReport, style: Style): string {
  return [
    ...collections.map(({ name, documents, chunks }) => `${style.foreign(name)}: ${documents} documents with ${chunks} chunks`),
    `${collections.length} collections, ${(bytes / 1e6).toFixed(1)} MB, every checksum right; in ${(tookMs / 1000).toFixed(1)} s`,
    '',
  ].join('\n');
}
