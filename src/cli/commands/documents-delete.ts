import { defineCommand } from '../command.js';

/** `hotrag documents delete`: prints how many were removed. What to remove is named in exactly one way; the engine refuses all else. */
export const command = defineCommand({
  usage: '[id…]',
  takes: { least: 0, most: Number.POSITIVE_INFINITY },
  flags: {
    filter: { kind: 'object', value: '{"lang":"en"}', describe: 'Remove what this filter allows.' },
    all: { kind: 'switch', describe: 'Remove every document of the collection.' },
  },
  examples: [
    'hotrag documents delete old.md',
    `hotrag documents delete --filter '{"year":{"$lt":2015}}'`,
    'hotrag documents delete --all',
  ],
  async run({ host, flags, positionals, json, withRag }) {
    const selection = {
      ...(positionals.length > 0 ? { ids: positionals } : {}),
      ...(flags.filter === undefined ? {} : { filter: flags.filter }),
      ...(flags.all ? { all: true } : {}),
    };
    const result = await withRag((rag) => rag.documents.delete(selection, { signal: host.signal }));
    host.stdout.write(json ? `${JSON.stringify(result)}\n` : `${result.removed} removed\n`);
    return 0;
  },
});
