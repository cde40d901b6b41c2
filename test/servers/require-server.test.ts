import { afterEach, expect, test, vi } from 'vitest';
import { requireServer, type ServerKind } from './require-server.js';

const absent: ServerKind<never> = {
  name: 'absent',
  instructions: 'get absent',
  prepare: () => Promise.reject(new Error('no network')),
};
const present: ServerKind<string> = { name: 'present', instructions: 'get present', prepare: async () => 'here' };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('a server that is there is handed over', async () => {
  vi.stubEnv('HOTRAG_TEST', '');
  expect(await requireServer(present)).toEqual({ skipped: false, title: 'present', server: 'here' });
});

test('one that is not to be had skips its suite loudly, with the way to get it', async () => {
  vi.stubEnv('HOTRAG_TEST', '');
  vi.stubEnv('CI', '');
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const required = await requireServer(absent);
  expect(required).toMatchObject({ skipped: true, title: expect.stringMatching(/absent: SKIPPED.*no network.*get absent/) });
  expect(write).toHaveBeenCalledWith(expect.stringContaining('get absent'));
});

test('on CI that fails', async () => {
  vi.stubEnv('HOTRAG_TEST', '');
  vi.stubEnv('CI', 'true');
  await expect(requireServer(absent)).rejects.toThrow('get absent');
});

test('HOTRAG_TEST leaves out the others, on CI too', async () => {
  vi.stubEnv('CI', 'true');
  vi.stubEnv('HOTRAG_TEST', 'present,chroma');
  expect(await requireServer(absent)).toMatchObject({ skipped: true });
  expect(await requireServer(present)).toMatchObject({ skipped: false });
});
