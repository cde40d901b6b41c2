import { describe } from 'vitest';
import { milvusLite } from './milvus-servers.js';
import { milvusSuite } from './milvus-suite.js';
import { requireServer } from './require-server.js';

const lite = await requireServer(milvusLite);

describe.skipIf(lite.skipped)(lite.title, () => {
  if (lite.skipped) return;
  milvusSuite('Milvus Lite 3.2.2', {
    start: lite.server,
    indexes: ['FLAT', 'AUTOINDEX', 'HNSW', 'IVF_FLAT', 'IVF_SQ8'],
    refused: [{ type: 'IVF_PQ', m: 4 }, 'DISKANN'],
    filters: 1000,
    hasConsistency: false,
    replicasRefused: 'UNSUPPORTED',
    scalarIndex: 'inverted',
  });
});
