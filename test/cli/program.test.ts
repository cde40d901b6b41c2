import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { fakeHost } from './fake-host.js';

const run = async (...words: string[]) => {
  const { host, written } = fakeHost();
  return { status: await runProgram(words, host), ...written };
};

describe('the command line', () => {
  it('shows help of all commands and of each, with examples', async () => {
    const all = await run('--help');
    expect(all.status).toBe(0);
    for (const name of ['serve', 'ingest', 'search', 'ask', 'documents list', 'documents read', 'documents delete', 'stats']) {
      expect(all.stdout).toContain(`  ${name} `);
      const one = await run(...name.split(' '), '--help');
      expect(one).toMatchObject({ status: 0, stderr: '' });
      expect(one.stdout).toContain(`Usage: hotrag ${name}`);
      expect(one.stdout).toContain(`  hotrag ${name}`);
    }
    expect((await run('documents', '--help')).status).toBe(0);
  });

  it('refuses what is for HTTP where HTTP is not served', async () => {
    expect(await run('serve', '--port', '7411')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--port: is for --transport http'),
    });
  });

  it.each([
    [[], 'a command is needed'],
    [['serch', 'x'], 'unknown command "serch"; did you mean search?'],
    [['documents'], 'hotrag documents needs one of documents list'],
    [['documents', 'lst'], 'did you mean documents list?'],
    [['--json', 'search', 'x'], '--json stands before the command'],
    [['search'], 'hotrag search needs <query>'],
    [['search', 'a', 'b'], '"b" is one argument too many; put quotes around words'],
    [['search', 'x', '--topk', '3'], 'unknown flag --topk; did you mean --top-k?'],
    [['search', 'x', '--colection', 'c'], 'unknown flag --colection; did you mean --collection?'],
    [['search', 'x', '--top-k', 'many'], '--top-k: must be a number, not "many"'],
    [['search', 'x', '--top-k'], '--top-k needs a value'],
    [['search', 'x', '--top-k', '--explain'], '--top-k needs a value'],
    [['search', 'x', '--explain=yes'], '--explain takes no value'],
    [['search', 'x', '--mode', 'hybird'], '"hybird" is none of hybrid, vector, keyword; did you mean hybrid?'],
    [['search', 'x', '--path', 'a', '--store-path', 'b'], '--store-path is given twice'],
    [
      ['search', 'x', '--filter', '{"a":'],
      '--filter is no JSON: it ends at line 1, column 6, where a value should stand; for example --filter',
    ],
    [['search', 'x', '--filter', '[]'], '--filter: must be a JSON object'],
    [['search', 'x', '--store', 'milvs'], 'CONFIG_INVALID --store (store.type): "milvs" is none of'],
    [['search', 'x', '--store-token', 't'], 'a secret is not taken from the command line'],
    [['search', 'x', '--config', 'nope.json'], "nope.json: the configuration file can't be read (ENOENT)"],
  ])('answers %j with status 2 and advice', async (words, message) => {
    const { status, stdout, stderr } = await run(...words);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^hotrag: (?:INPUT|CONFIG)_INVALID .*\n {2}\S.*\n$/);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('warns of a misspelt variable and goes on', async () => {
    const { host, written } = fakeHost({ env: { HOTRAG_STOR_PATH: 'x' } });
    await runProgram(['serve', '/no/such/folder'], host);
    expect(written.stderr).toContain(
      'hotrag: warning: HOTRAG_STOR_PATH in the environment is no option of hotrag; did you mean HOTRAG_STORE_PATH?',
    );
    expect(written.stderr).toContain('NOT_FOUND /no/such/folder');
  });
});
