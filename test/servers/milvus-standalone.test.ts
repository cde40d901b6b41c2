import { describe, expect, it } from 'vitest';
import { isIsolated, milvusStandalone, runIsolated } from './milvus-servers.js';
import { milvusSuite } from './milvus-suite.js';
import { requireServer } from './require-server.js';

const standalone = await requireServer(milvusStandalone);

describe.skipIf(standalone.skipped)(standalone.title, () => {
  if (standalone.skipped) return;
  if (!isIsolated()) {
    it('passes its suite in a network namespace of its own', { timeout: 1_200_000 }, async () => {
      const { status, output } = await runIsolated('test/servers/milvus-standalone.test.ts');
      expect(status, output).toBe(0);
    });
    return;
  }
  milvusSuite('Milvus 2.3.5 standalone', {
    start: standalone.server,
    indexes: ['FLAT', 'AUTOINDEX', 'HNSW', 'IVF_FLAT', 'IVF_SQ8', { type: 'IVF_PQ', m: 4 }, 'DISKANN'],
    refused: [],
    filters: 500,
    scalarIndex: 'stl_sort',
  });
});
