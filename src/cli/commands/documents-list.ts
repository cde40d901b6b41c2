import { defineCommand } from '../command.js';
import { createStyle, table } from '../terminal.js';

/** `hotrag documents list`: prints a DocumentPage. */
export const command = defineCommand({
  usage: '',
  takes: { least: 0, most: 0 },
  flags: {
    filter: { kind: 'object', value: '{"lang":"en"}', describe: 'List only what this filter allows.' },
    limit: { kind: 'number', describe: 'Documents of a page, 1 to 1000. Default: 100.' },
    cursor: { kind: 'text', value: 'CURSOR', describe: 'Go on where the page before ended.' },
  },
  examples: ['hotrag documents list', `hotrag documents list --filter '{"lang":"en"}' --limit 20`],
  async run({ host, flags, json, withRag }) {
    const { filter, limit, cursor } = flags;
    const page = await withRag((rag) => rag.documents.list({ filter, limit, cursor, signal: host.signal }));
    const { stdout } = host;
    if (json) {
      stdout.write(`${JSON.stringify(page)}\n`);
      return 0;
    }
    const style = createStyle(host, stdout);
    const rows = page.documents.map(({ id, chunks, updatedAt }) => [
      updatedAt.slice(0, 19).replace('T', ' '),
      String(chunks),
      style.foreign(id),
    ]);
    stdout.write(
      rows.length === 0
        ? 'No documents.\n'
        : table([['updated (UTC)', 'chunks', 'id'], ...rows], stdout.isTerminal ? stdout.columns : Infinity, [1]),
    );
    if (page.nextCursor !== undefined) host.stderr.write(`more: --cursor ${JSON.stringify(page.nextCursor)}\n`);
    return 0;
  },
});
