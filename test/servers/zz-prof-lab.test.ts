import { monitorEventLoopDelay } from 'node:perf_hooks';
import { it } from 'vitest';
import { openMilvusStore } from '../../src/adapters/stores/milvus/index.js';
import { milvusOptions } from '../../src/adapters/stores/milvus/options.js';
import { makeDocument, makeVector } from '../support/chunks.js';
import { openClient } from './milvus-servers.js';
it('prof', async () => {
  const N = Number(process.env.LAB_N ?? 10000), D = 384;
  const options = milvusOptions.parse({ type: 'milvus', uri: process.env.LAB_URI, index: process.env.LAB_INDEX ?? 'FLAT', timeoutMs: 120000 });
  const store = openMilvusStore(options);
  await store.drop('prof');
  const c = await store.open({ collection: 'prof', fingerprint: { embedder: 'e', dimensions: D, metric: 'cosine' }, fields: [{ name: 'year', type: 'number' }], create: true });
  const docs = Array.from({ length: N / 10 }, (_, d) => makeDocument(`docs/file-${d}.md`, Array.from({ length: 10 }, (_, i) => ({ text: `passage ${i} `.repeat(60), vector: makeVector(`${d} ${i}`, D), metadata: { year: 2000 + d % 30, lang: d % 2 ? 'en' : 'de' } }))));
  const h = monitorEventLoopDelay({ resolution: 2 }); h.enable();
  let t = performance.now();
  for (let i = 0; i < docs.length; i += 100) await c.commit({ put: docs.slice(i, i + 100), drop: [] });
  console.log('ingest', N, Math.round(performance.now() - t), 'ms; loop delay p99', h.percentile(99) / 1e6, 'max', h.max / 1e6); h.reset();
  const raw = await openClient(options.uri);
  const run = async (plan?: any) => {
    const ours: number[] = [], theirs: number[] = [];
    for (let i = 0; i < 60; i++) {
      const q = makeVector('q' + i, D);
      let t = performance.now(); await c.nearest({ vector: q, limit: 10, plan }); ours.push(performance.now() - t);
      t = performance.now(); await raw.search({ collection_name: 'prof', data: Array.from(q), limit: 10, output_fields: ['chunk_id', 'document_id', 'uri', 'hash', 'chunk_group', 'position', 'text', 'place', 'metadata'], ...(plan ? { filter: process.env.LAB_F } : {}) }); theirs.push(performance.now() - t);
    }
    const p = (a: number[], q: number) => a.sort((x, y) => x - y)[Math.floor(a.length * q)]!.toFixed(1);
    console.log('search ours p50', p(ours, 0.5), 'p95', p(ours, 0.95), 'raw p50', p(theirs, 0.5), 'p95', p(theirs, 0.95));
  };
  await run();
  process.env.LAB_F = 'field__year >= 2015'; await run(c.plan({ op: 'gte', field: 'year', value: 2015 }));
  process.env.LAB_F = 'metadata["string:lang"][0] == "en"'; await run(c.plan({ op: 'eq', field: 'lang', value: 'en' }));
  h.reset(); t = performance.now(); let n = 0; for await (const e of c.scan({})) n += e.position >= 0 ? 1 : 0; console.log('scan', n, Math.round(performance.now() - t), 'loop max', h.max / 1e6);
  t = performance.now(); await c.keywords({ text: 'passage', limit: 5 }); console.log('first keywords', Math.round(performance.now() - t));
  t = performance.now(); await c.commit({ put: [], drop: docs.slice(0, 100).map((d) => d.document.id) }); console.log('drop 100 docs', Math.round(performance.now() - t));
  await c.close(); await store.close(); await raw.closeConnection();
  const s2 = openMilvusStore(options);
  t = performance.now(); const c2 = await s2.open({ collection: 'prof', fingerprint: { embedder: 'e', dimensions: D, metric: 'cosine' }, fields: [], create: false }); console.log('open again', Math.round(performance.now() - t));
  t = performance.now(); await c2.nearest({ vector: makeVector('q', D), limit: 10 }); console.log('first nearest', Math.round(performance.now() - t));
  await s2.drop('prof'); await s2.close();
}, 900000);
