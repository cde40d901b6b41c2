import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOpenAiGenerator, openOpenAiGenerator } from '../../../src/adapters/inference/openai-compatible.js';
import { collect } from '../../../src/core/collect.js';
import { fixture, serveRecorded } from './recorded-ollama.js';
import { vllm } from './vllm-stub.js';

const HELLO = { messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('TLS', () => {
  // A certificate for localhost that nobody trusts; its key is no secret.
  const server = createServer({ cert: fixture('self-signed.pem'), key: fixture('self-signed-key.pem') });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port; // listening on TCP
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('says of a certificate that is not trusted how to trust it, and does not try again', async () => {
    await expect(openOpenAiGenerator({ url: `https://127.0.0.1:${port}/v1`, model: 'chat' })).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      retryable: false,
      message: expect.stringMatching(/SELF_SIGNED.*NODE_EXTRA_CA_CERTS/),
    });
  });

  it('says of a server without TLS that the address should begin with http', async () => {
    const plain = await serveRecorded(vllm);
    const generator = createOpenAiGenerator({ url: plain.url.replace('http:', 'https:'), model: 'chat' });
    await expect(collect(generator.generate(HELLO))).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/http:\/\//),
    });
    await plain.close();
  });
});
