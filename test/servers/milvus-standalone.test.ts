import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMilvusStore } from '../../src/adapters/stores/milvus/index.js';
import { milvusOptions } from '../../src/adapters/stores/milvus/options.js';
import { FINGERPRINT } from '../support/chunks.js';
import { isIsolated, type MilvusServer, makeCertificate, milvusStandalone, runIsolated } from './milvus-servers.js';
import { milvusSuite } from './milvus-suite.js';
import { requireServer } from './require-server.js';

const standalone = await requireServer(milvusStandalone);
/** Where the outer process left the certificate for the one in the namespace. */
const FOLDER = 'HOTRAG_TEST_CERTIFICATE';

describe.skipIf(standalone.skipped)(standalone.title, () => {
  if (standalone.skipped) return;
  const start = standalone.server;

  if (!isIsolated()) {
    it('passes its suite in a network namespace of its own', { timeout: 1_800_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hotrag-certificate-'));
      const { certificate } = makeCertificate(folder);
      const environment = { [FOLDER]: folder, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: certificate };
      const { status, output } = await runIsolated('test/servers/milvus-standalone.test.ts', environment);
      rmSync(folder, { recursive: true });
      expect(status, output).toBe(0);
    });
    return;
  }

  milvusSuite('Milvus 2.3.5 standalone', {
    start,
    indexes: ['FLAT', 'AUTOINDEX', 'HNSW', 'IVF_FLAT', 'IVF_SQ8', { type: 'IVF_PQ', m: 4 }, 'DISKANN'],
    refused: [],
    filters: 500,
    hasConsistency: true,
    replicasRefused: 'UPSTREAM_FAILED',
    scalarIndex: 'stl_sort',
  });

  describe('Milvus 2.3.5 with TLS and a password', () => {
    const folder = process.env[FOLDER] ?? '';
    const access = { token: 'root:Milvus', certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
    let server: MilvusServer;
    beforeAll(async () => {
      server = await start(access);
    });
    afterAll(() => server.stop());

    it.each([
      ['the right token', { token: access.token }, undefined],
      ['a wrong token', { token: 'root:wrong' }, 'UNAUTHORIZED'],
      ['no token', {}, 'UNAUTHORIZED'],
      ['no TLS', { token: access.token, tls: false }, 'CONNECTION_FAILED'],
      ['the address of nothing', { token: access.token, uri: 'https://localhost:9' }, 'CONNECTION_FAILED'],
    ])('answers %s', async (_, options, code) => {
      const store = openMilvusStore(milvusOptions.parse({ type: 'milvus', uri: server.uri, ...options }));
      const opened = store.open({ collection: 'secret', fingerprint: FINGERPRINT, fields: [], create: true });
      if (code === undefined) expect((await opened).space.collection).toBe('secret');
      else await expect(opened).rejects.toMatchObject({ code });
      await store.close();
    });
  });
});
