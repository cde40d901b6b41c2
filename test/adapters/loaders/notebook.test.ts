import { describe, expect, it } from 'vitest';
import { createNotebookLoader } from '../../../src/adapters/loaders/notebook.js';
import { loaderContract } from '../../contracts/loader-contract.js';

const one = '{"cells": [\n{"cell_type": "markdown", "source": ["# A\\n", "text"]}]}';

loaderContract('notebook', createNotebookLoader, {
  good: { 'a.ipynb': one },
  bad: { 'a.ipynb': '{"cells": [', 'b.ipynb': '{"cells": 1}', 'c.ipynb': '[]', 'd.ipynb': 'null' },
});

async function read(notebook: unknown) {
  return createNotebookLoader().load({ uri: 'a.ipynb', bytes: Buffer.from(JSON.stringify(notebook)) });
}

describe('a notebook', () => {
  it('gives prose, code in its language, and what was printed', async () => {
    const { text, format } = await read({
      metadata: { language_info: { name: 'julia' } },
      cells: [
        { cell_type: 'markdown', source: '# Title\n\nprose' },
        {
          cell_type: 'code',
          source: ['x = 1\n', 'println(x)'],
          outputs: [
            { output_type: 'stream', text: ['1\n'] },
            { output_type: 'execute_result', data: { 'text/plain': '42', 'text/html': '<b>no</b>', 'image/png': 'no' } },
            { output_type: 'error', ename: 'BoundsError', evalue: 'index 2', traceback: ['no'] },
          ],
        },
        { cell_type: 'code', source: 'a = "```"', outputs: [] },
        { cell_type: 'raw', source: '' },
      ],
    });
    expect(format).toBe('markdown');
    expect(text).toBe(
      '# Title\n\nprose\n\n```julia\nx = 1\nprintln(x)\n```\n\n```text\n1\n42\nBoundsError: index 2\n```\n\n````julia\na = "```"\n````',
    );
  });

  it('says where printed text was left out', async () => {
    const { text } = await read({ cells: [{ cell_type: 'code', source: 'x', outputs: [{ text: 'y'.repeat(5000) }] }] });
    expect(text).toContain(`${'y'.repeat(2000)}\n… (3000 characters left out)`);
  });

  it('may be of the third format', async () => {
    const { text } = await read({
      worksheets: [
        {
          cells: [
            { cell_type: 'heading', level: 2, source: 'A' },
            { cell_type: 'code', input: 'b', outputs: [] },
          ],
        },
      ],
    });
    expect(text).toBe('## A\n\n```python\nb\n```');
  });

  it('without cells is empty, with a warning', async () => {
    expect(await read({ cells: [] })).toMatchObject({ text: '', warnings: [expect.stringContaining('is empty')] });
  });
});
