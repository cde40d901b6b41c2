import { expect, test } from 'vitest';
import type { RemoteServer } from '../../../src/adapters/stores/remote/contract.js';
import { createRemoteStore } from '../../../src/adapters/stores/remote/store.js';
import { abortable } from '../../../src/core/flow.js';
import { FINGERPRINT } from '../../support/chunks.js';
import { createFakeServer } from './remote-server.js';

const request = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };

/** A store whose server makes tables ready only when told to, as one does that loads them; and the signals that it was given. */
function openSlowStore() {
  const server = createFakeServer();
  const signals: AbortSignal[] = [];
  let letGo = () => {};
  const ready = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slow: RemoteServer = {
    ...server,
    async tables(space, options) {
      if (options?.signal !== undefined) signals.push(options.signal);
      await abortable(ready, options?.signal);
      return server.tables(space, options);
    },
  };
  const store = createRemoteStore({ server: slow, openKeywordStore: () => Promise.reject(new Error('no keyword index here')) });
  return { store, signals, letGo };
}

test('opening ends on the server when the only one who waits for it has gone, and begins anew for the next', async () => {
  const { store, signals, letGo } = openSlowStore();
  const controller = new AbortController();
  const opening = store.open(request, { signal: controller.signal });
  await expect.poll(() => signals.length).toBe(1);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(opening).rejects.toBe(reason);
  expect(signals[0]?.aborted).toBe(true);
  letGo();
  expect((await store.open(request)).space.collection).toBe('docs');
  expect(signals).toHaveLength(2);
  await store.close();
});

test('opening goes on for the others when one of those who wait for it has gone', async () => {
  const { store, signals, letGo } = openSlowStore();
  const staying = store.open(request);
  await expect.poll(() => signals.length).toBe(1);
  const controller = new AbortController();
  const leaving = store.open(request, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(leaving).rejects.toThrow('enough');
  letGo();
  expect((await staying).space.collection).toBe('docs');
  expect(signals).toMatchObject([{ aborted: false }]);
  await store.close();
});
