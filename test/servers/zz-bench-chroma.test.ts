import { test } from 'vitest';
import { ChromaClient } from 'chromadb';
import { openChromaStore } from '../../src/adapters/stores/chroma/index.js';
import { chromaOptions } from '../../src/adapters/stores/chroma/options.js';
import { makeDocument, makeVector } from '../support/chunks.js';
test('bench', async () => {
  const D = 256;
  const store = await openChromaStore(chromaOptions.parse({ type: 'chroma', uri: 'http://127.0.0.1:18123' }));
  const client = new ChromaClient({ host: '127.0.0.1', port: 18123 });
  const fingerprint = { embedder: 'e', dimensions: D, metric: 'cosine' as const };
  const name = `bench-${Date.now()}`;
  const c = await store.open({ collection: name, fingerprint, fields: [], create: true });
  const words = (s: string) => Array.from(makeVector(s, 60), (x) => Math.abs(x).toString(36).slice(2, 9)).join(' ');
  const put = Array.from({ length: 500 }, (_, i) => makeDocument(`doc${i}.md`, Array.from({ length: 10 }, (_, j) => ({ text: words(`${i} ${j}`), vector: makeVector(`${i} ${j}`, D), metadata: { year: 2000 + (i % 20), lang: i % 2 ? 'en' : 'de', part: j } })), undefined));
  let t = performance.now();
  await c.commit({ put, drop: [] }); console.log('commit 5000 chunks / 500 docs', performance.now() - t); t = performance.now();
  const raw = await client.createCollection({ name: `${name}-raw`, embeddingFunction: null, configuration: { hnsw: { space: 'cosine' } } } as never);
  const all = put.flatMap((p) => p.entries);
  for (let i = 0; i < all.length; i += 1000) { const b = all.slice(i, i + 1000); await raw.add({ ids: b.map((e) => e.id), embeddings: b.map((e) => [...e.vector]), documents: b.map((e) => e.text), metadatas: b.map((e) => ({ ...e.metadata, documentId: e.documentId, group: e.group, hash: e.hash, position: e.position, lines: e.location.lines, span: e.span })) as never }); }
  console.log('raw add', performance.now() - t);
  const plan = c.plan({ op: 'gte', field: 'year', value: 2010 });
  let n = 0; const q = () => makeVector(`q${n++}`, D);
  const rawq = (k: number, where?: never) => raw.query({ queryEmbeddings: [[...q()]], nResults: k, include: ['documents', 'metadatas', 'distances'], ...(where ? { where } : {}) });
  const ways: Record<string, () => Promise<unknown>> = {
    'raw 10': () => rawq(10), 'ours 10': () => c.nearest({ vector: q(), limit: 10 }),
    'raw 100': () => rawq(100), 'ours 100': () => c.nearest({ vector: q(), limit: 100 }),
    'raw f 10': () => rawq(10, { year: { $gte: 2010 } } as never), 'ours f 10': () => c.nearest({ vector: q(), limit: 10, plan }),
    'version': () => c.version(),
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(ways).map((k) => [k, []]));
  for (let r = 0; r < 80; r++) for (const [k, f] of Object.entries(ways)) { const s = performance.now(); await f(); times[k]!.push(performance.now() - s); }
  for (const [k, a] of Object.entries(times)) { a.sort((x, y) => x - y); console.log(k.padEnd(10), 'p50', a[40]!.toFixed(2), 'p25', a[20]!.toFixed(2)); }
  t = performance.now(); await c.keywords({ text: 'x', limit: 5 }); console.log('first keywords (sidecar built of 5000)', performance.now() - t);
  t = performance.now(); await c.keywords({ text: 'x', limit: 5 }); console.log('second keywords', performance.now() - t);
  const s2 = await openChromaStore(chromaOptions.parse({ type: 'chroma', uri: 'http://127.0.0.1:18123' }));
  t = performance.now(); const c2 = await s2.open({ collection: name, fingerprint, fields: [], create: false }); console.log('open', performance.now() - t); t = performance.now(); await c2.nearest({ vector: q(), limit: 10 }); console.log('first search', performance.now() - t);
  await store.drop(name); await client.deleteCollection({ name: `${name}-raw` });
}, 200000);
