import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { createRemoteStore } from '../../../src/adapters/stores/remote/store.js';
import { storeContract } from '../../contracts/store-contract.js';
import { createFakeServer } from './remote-server.js';

for (const pulse of [false, true]) {
  storeContract(`a remote store over the smallest server, ${pulse ? 'with' : 'without'} a pulse`, async () => {
    const server = createFakeServer({ pulse });
    const openKeywordStore = () => openMemoryStore();
    const open = () => createRemoteStore({ server: server.client(), openKeywordStore, keepsKeywords: pulse });
    let store = open();
    return {
      store,
      reopen: async () => {
        await store.close();
        store = open();
        return store;
      },
      close: () => store.close(),
    };
  });
}
