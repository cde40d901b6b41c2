import { defineCommand } from '../command.js';
import { createStyle } from '../terminal.js';

/** `hotrag documents read`: prints a document's text. */
export const command = defineCommand({
  usage: '<id>',
  takes: { least: 1, most: 1 },
  flags: {
    lines: { kind: 'text', value: 'A-B', describe: 'Only these lines, counted from 1.' },
    around: { kind: 'text', value: 'HIT', describe: 'Only the text about this hit, by its id.' },
    'max-chars': { kind: 'number', describe: 'Longest text, in characters.' },
  },
  examples: ['hotrag documents read guide.md', 'hotrag documents read guide.md --lines 10-40'],
  async run({ host, flags, positionals: [id = ''], json, withRag }) {
    const { lines, around } = flags;
    const document = await withRag((rag) =>
      rag.documents.read(id, { lines, around, maxChars: flags['max-chars'], signal: host.signal }),
    );
    const text = createStyle(host, host.stdout).foreign(document.text);
    host.stdout.write(json ? `${JSON.stringify(document)}\n` : `${text}${text.endsWith('\n') ? '' : '\n'}`);
    return 0;
  },
});
