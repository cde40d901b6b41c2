import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { storeContract } from '../../contracts/store-contract.js';

storeContract('the volatile memory store', async () => {
  const store = await openMemoryStore();
  return { store, close: () => store.close() };
});

storeContract('the durable memory store', async () => {
  const path = await mkdtemp(join(tmpdir(), 'hotrag-store-'));
  let store = await openMemoryStore({ path });
  return {
    store,
    async reopen() {
      await store.close();
      store = await openMemoryStore({ path });
      return store;
    },
    async close() {
      await store.close();
      await rm(path, { recursive: true });
    },
  };
});
