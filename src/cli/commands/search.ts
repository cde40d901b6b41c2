import type { SearchMode } from '../../core/types.js';
import { defineCommand } from '../command.js';
import { renderExplanation, renderHits } from '../hits.js';
import { createStyle } from '../terminal.js';

/** `hotrag search`: prints a SearchResult. */
export const command = defineCommand({
  usage: '<query>',
  takes: { least: 1, most: 1 },
  flags: {
    filter: { kind: 'object', value: '{"year":{"$gte":2020}}', describe: 'Search only what this filter allows.' },
    'top-k': { kind: 'number', describe: 'Number of hits, 1 to 100. Default: 5.' },
    mode: { kind: 'text', choices: ['hybrid', 'vector', 'keyword'], describe: 'How to search. Default: hybrid.' },
    group: { kind: 'list', value: 'NAME', describe: 'Node group to search; may be repeated. Default: all.' },
    returns: { kind: 'text', value: 'NAME', describe: 'Show the passages of this group around what was found.' },
    explain: { kind: 'switch', describe: 'Show where the time went and which indexes were used.' },
  },
  examples: [
    'hotrag search "how do I reset it?"',
    `hotrag search timeout --filter '{"lang":"en","year":{"$gte":2020}}' --top-k 10`,
    'hotrag search timeout --mode keyword --explain',
    'hotrag search timeout --json | jq -r ".hits[].uri"',
  ],
  async run({ host, flags, positionals: [query = ''], json, withRag }) {
    const result = await withRag((rag) =>
      rag.search(query, {
        filter: flags.filter,
        topK: flags['top-k'],
        mode: flags.mode as SearchMode | undefined, // one of its choices
        groups: flags.group,
        returns: flags.returns,
        explain: flags.explain,
        signal: host.signal,
      }),
    );
    const { stdout } = host;
    if (json) {
      stdout.write(`${JSON.stringify(result)}\n`);
      return 0;
    }
    const style = createStyle(host, stdout);
    stdout.write(renderHits(result.hits, stdout, style));
    if (result.explain !== undefined) stdout.write(renderExplanation(result.explain, stdout, style));
    return 0;
  },
});
