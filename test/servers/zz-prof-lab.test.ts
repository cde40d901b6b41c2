import { it } from 'vitest';
import { openMilvusStore } from '../../src/adapters/stores/milvus/index.js';
import { milvusOptions } from '../../src/adapters/stores/milvus/options.js';
import { createMilvusServer } from '../../src/adapters/stores/milvus/server.js';
it('prof', async () => {
  const t00 = performance.now();
  const { MilvusClient, logger } = await import('@zilliz/milvus2-sdk-node');
  console.log('import', performance.now() - t00);
  for (const name of ['describeCollection', 'createCollection', 'describeIndex', 'createIndex', 'loadCollection', 'getLoadState', 'query', 'search', 'insert', 'upsert', 'delete', 'getVersion', 'dropCollection', 'showCollections']) {
    const original = (MilvusClient.prototype as any)[name];
    (MilvusClient.prototype as any)[name] = async function (...a: any[]) { const t = performance.now(); try { return await original.apply(this, a); } finally { if (process.env.LAB_V) console.log('   ', name, a[0]?.collection_name?.slice(0, 20), a[0]?.field_name ?? '', Math.round(performance.now() - t)); } };
  }
  const options = milvusOptions.parse({ type: 'milvus', uri: process.env.LAB_URI, index: 'FLAT', timeoutMs: 60000 });
  const store = openMilvusStore(options);
  const fp = { embedder: 'e', dimensions: 8, metric: 'cosine' as const };
  for (const what of ['create', 'open']) {
    const s = openMilvusStore(options);
    let t = performance.now();
    const c = await s.open({ collection: 'prof', fingerprint: fp, fields: [{ name: 'year', type: 'number' }], create: true });
    console.log(what, performance.now() - t); t = performance.now();
    await c.version(); console.log('version', performance.now() - t); t = performance.now();
    await c.nearest({ vector: new Float32Array(8).fill(1), limit: 5 }); console.log('nearest', performance.now() - t); t = performance.now();
    await c.nearest({ vector: new Float32Array(8).fill(1), limit: 5 }); console.log('nearest', performance.now() - t); t = performance.now();
    await c.commit({ put: [], drop: ['x'] }); console.log('commit drop', performance.now() - t);t = performance.now();
    await c.commit({ put: [], drop: ['x'] }); console.log('commit drop', performance.now() - t);
    await s.close();
  }
  await store.drop('prof');
  await store.close();
}, 600000);
