import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../support/folder.js';
import { callOverHttp, serveBin } from '../support/serve-bin.js';
import { redis } from './cache-servers.js';
import { chroma } from './chroma.js';
import { requireServer } from './require-server.js';

/** Three servers behind a proxy that gives each request to the next: over one Chroma and one Redis, nobody can tell them from one. */

const REPLICAS = 3;
/** `HOTRAG_ROUNDS=1000` for the whole proof. */
const ROUNDS = Number(process.env['HOTRAG_ROUNDS'] ?? 50);

const stores = await requireServer(chroma);
const caches = await requireServer(redis);
const skipped = stores.skipped || caches.skipped;

describe.skipIf(skipped)(`${stores.title} and ${caches.title} under three replicas`, () => {
  if (stores.skipped || caches.skipped) return;
  const [startChroma, startRedis] = [stores.server, caches.server];

  async function openReplicas() {
    const [store, cache] = [await startChroma(makeFolder()), await startRedis()];
    onTestFinished(async () => {
      await store.stop();
      await cache.stop();
    });
    const replicas = await Promise.all(
      Array.from({ length: REPLICAS }, () => {
        const folder = makeFolder();
        const config = {
          store: { type: 'chroma', uri: store.uri, path: folder },
          caches: { shared: `redis://127.0.0.1:${cache.port}` },
          server: { sessions: false },
        };
        return serveBin({ folder, config });
      }),
    );
    return { url: await openProxy(replicas.map(({ url }) => url)), replicas };
  }

  test('any answers any request, of both generations', async () => {
    const { url } = await openReplicas();
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)) as Transport); // its optional fields
    const call = (name: string, input: Record<string, unknown>) => client.callTool({ name, arguments: input });
    await call('ingest', { documents: [{ id: 'ropes', text: 'A single rope is sixty metres long.' }] });
    for (let turn = 0; turn < 2 * REPLICAS; turn++) {
      expect((await client.listTools()).tools).toHaveLength(7);
      const { structuredContent } = await call('search', { query: 'how long is a rope?' });
      expect(JSON.stringify(structuredContent)).toContain('sixty metres');
      const { contents } = await client.readResource({ uri: 'hotrag://default/ropes' });
      expect(JSON.stringify(contents)).toContain('sixty metres');
      const { structured } = await callOverHttp(url, 'read-document', { id: 'ropes' });
      expect(structured).toMatchObject({ text: 'A single rope is sixty metres long.' });
    }
    await client.close();
  });

  test('after an acknowledged write the next search of each sees it', { timeout: 60_000 + ROUNDS * 3_000 }, async () => {
    const { url, replicas } = await openReplicas();
    const stale: string[] = [];
    let cached = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // With one write and three searches a round, the writer is another one each time.
      const written = await callOverHttp(url, 'ingest', { documents: [{ id: 'counter', text: `whale number ${round}` }] });
      expect(written.structured, written.text).toMatchObject({ failed: [] });
      const seen = await Promise.all(replicas.map(() => callOverHttp(url, 'search', { query: 'whale number', topK: 1 })));
      for (const { structured, text } of seen) {
        const hits = structured?.['hits'] as readonly { readonly text: string }[] | undefined;
        if (hits?.[0]?.text !== `whale number ${round}`) stale.push(`round ${round}: ${text}`);
        if (structured?.['cached'] === true) cached++;
      }
    }
    expect(stale).toEqual([]);
    // It would prove little if nothing had ever come from a cache.
    expect(cached).toBeGreaterThan(0);
  });
});

/** Gives each request to the next server in turn. */
async function openProxy(urls: readonly string[]): Promise<string> {
  let turn = 0;
  const proxy = createServer((incoming, outgoing) => {
    const target = new URL(incoming.url ?? '/', urls[turn++ % urls.length]);
    const { method, headers } = incoming;
    const onward = request(target, { method, headers: { ...headers, host: target.host } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`; // a port was listened on
}
