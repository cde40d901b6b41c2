import { PassThrough } from 'node:stream';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { type RagServer, type ServeHttpOptions, serveHttp, serveStdio } from '../../src/server/index.js';

/** The official clients of both generations, over every transport, behind one face. */
export interface Connection {
  readonly name: string;
  readonly open: (server: RagServer, options?: ConnectionOptions) => Promise<Session>;
}

export interface ConnectionOptions {
  /** What the client's own model writes; without it the client offers none. */
  readonly model?: ((prompt: string) => string) | undefined;
  readonly http?: ServeHttpOptions | undefined;
  readonly token?: string | undefined;
}

export interface ToolAnswer {
  readonly structured: unknown;
  readonly text: string;
  readonly code: unknown;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (update: { readonly progress: number; readonly message?: string | undefined }) => void;
}

export interface Session {
  readonly tools: () => Promise<readonly string[]>;
  readonly call: (name: string, input?: Readonly<Record<string, unknown>>, options?: CallOptions) => Promise<ToolAnswer>;
  /** Of all pages, or of the one at a cursor. */
  readonly resources: (cursor?: string) => Promise<readonly string[]>;
  readonly templates: () => Promise<readonly string[]>;
  readonly read: (uri: string) => Promise<string>;
  readonly prompts: () => Promise<readonly string[]>;
  readonly prompt: (name: string, input: Readonly<Record<string, string>>) => Promise<string>;
  readonly complete: (uriTemplate: string, variable: string, value: string) => Promise<readonly string[]>;
  /** Resolves when it is told that a resource changed. */
  readonly updated: (uri: string) => Promise<{ readonly told: Promise<void> }>;
  readonly instructions: () => string | undefined;
  readonly close: () => Promise<void>;
}

export const connections: readonly Connection[] = [
  { name: 'v1 client, stdio', open: openOldStdio },
  { name: 'v1 client, SSE', open: (server, options) => openOldHttp(server, options, '/sse') },
  { name: 'v1 client, Streamable HTTP', open: (server, options) => openOldHttp(server, options, '/mcp') },
  { name: 'v2 client, stdio', open: openModernStdio },
  { name: 'v2 client, Streamable HTTP', open: openModernHttp },
];

async function openOldStdio(server: RagServer, options: ConnectionOptions = {}): Promise<Session> {
  const pipe = pipeTo(server);
  const client = oldClient(options);
  await client.connect(pipe.transport);
  return oldSession(client, pipe.ended);
}

async function openOldHttp(server: RagServer, options: ConnectionOptions = {}, path: '/sse' | '/mcp'): Promise<Session> {
  const service = await serveHttp(server, { port: 0, ...options.http });
  const client = oldClient(options);
  const requestInit = options.token === undefined ? {} : { headers: { authorization: `Bearer ${options.token}` } };
  const url = new URL(path, service.url);
  const transport =
    path === '/sse' ? new SSEClientTransport(url, { requestInit }) : new StreamableHTTPClientTransport(url, { requestInit });
  await client.connect(transport as Transport); // its optional fields are declared without `undefined`
  return oldSession(client, () => service.close({ graceMs: 0 }));
}

async function openModernStdio(server: RagServer, options: ConnectionOptions = {}): Promise<Session> {
  const pipe = pipeTo(server);
  const client = modernClient(options);
  await client.connect(pipe.transport);
  return modernSession(client, pipe.ended);
}

async function openModernHttp(server: RagServer, options: ConnectionOptions = {}): Promise<Session> {
  const service = await serveHttp(server, { port: 0, ...options.http });
  const client = modernClient(options);
  const requestInit = options.token === undefined ? {} : { headers: { authorization: `Bearer ${options.token}` } };
  await client.connect(new ModernHttp(new URL('/mcp', service.url), { requestInit }));
  return modernSession(client, () => service.close({ graceMs: 0 }));
}

function oldClient({ model }: ConnectionOptions): Client {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: model === undefined ? {} : { sampling: {} } });
  if (model !== undefined) {
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => sampled(model, params));
  }
  client.setNotificationHandler(LoggingMessageNotificationSchema, () => {});
  return client;
}

function oldSession(client: Client, ended: () => Promise<unknown>): Session {
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, input = {}, { signal, onProgress } = {}) {
      const options = { ...(signal && { signal }), ...(onProgress && { onprogress: onProgress }) };
      return answerOf(await client.callTool({ name, arguments: { ...input } }, undefined, options));
    },
    async resources(cursor) {
      const uris: string[] = [];
      for (let next = cursor; ; ) {
        const { resources, nextCursor } = await client.listResources(next === undefined ? {} : { cursor: next });
        uris.push(...resources.map(({ uri }) => uri));
        if (nextCursor === undefined) return uris;
        next = nextCursor;
      }
    },
    templates: async () => (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, input) =>
      textOf((await client.getPrompt({ name, arguments: { ...input } })).messages.map(({ content }) => content)),
    complete: async (uri, name, value) =>
      (await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion.values,
    async updated(uri) {
      const listed = new Promise<void>((resolve) =>
        client.setNotificationHandler(ResourceListChangedNotificationSchema, () => resolve()),
      );
      const changed = new Promise<void>((resolve) => {
        client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
          if (params.uri === uri) resolve();
        });
      });
      await client.subscribeResource({ uri });
      return { told: Promise.all([listed, changed]).then(() => {}) };
    },
    instructions: () => client.getInstructions(),
    async close() {
      await client.close();
      await ended();
    },
  };
}

function modernClient({ model }: ConnectionOptions): ModernClient {
  const client = new ModernClient(
    { name: 'test', version: '1' },
    { capabilities: model === undefined ? {} : { sampling: {} }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  if (model !== undefined) client.setRequestHandler('sampling/createMessage', async ({ params }) => sampled(model, params));
  return client;
}

function modernSession(client: ModernClient, ended: () => Promise<unknown>): Session {
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, input = {}, { signal, onProgress } = {}) {
      const options = { ...(signal && { signal }), ...(onProgress && { onprogress: onProgress }) };
      return answerOf(await client.callTool({ name, arguments: { ...input } }, options));
    },
    async resources(cursor) {
      // Follows the pages by itself.
      const { resources } = await client.listResources(cursor === undefined ? undefined : { cursor });
      return resources.map(({ uri }) => uri);
    },
    templates: async () => (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, input) =>
      textOf((await client.getPrompt({ name, arguments: { ...input } })).messages.map(({ content }) => content)),
    complete: async (uri, name, value) =>
      (await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion.values,
    async updated(uri) {
      const listed = new Promise<void>((resolve) =>
        client.setNotificationHandler('notifications/resources/list_changed', () => resolve()),
      );
      const changed = new Promise<void>((resolve) => {
        client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
          if (params.uri === uri) resolve();
        });
      });
      await client.listen({ resourcesListChanged: true, resourceSubscriptions: [uri] });
      return { told: Promise.all([listed, changed]).then(() => {}) };
    },
    instructions: () => client.getInstructions(),
    async close() {
      await client.close();
      await ended();
    },
  };
}

interface SampleParams {
  readonly systemPrompt?: string | undefined;
  readonly messages: readonly { readonly content: unknown }[];
}

function sampled(model: (prompt: string) => string, { systemPrompt = '', messages }: SampleParams) {
  const prompt = [systemPrompt, textOf(messages.map(({ content }) => content))].join('\n');
  return {
    model: 'test-model',
    role: 'assistant' as const,
    stopReason: 'endTurn',
    content: { type: 'text' as const, text: model(prompt) },
  };
}

function answerOf(result: object): ToolAnswer {
  const { structuredContent, content, _meta } = result as {
    structuredContent?: unknown;
    content?: unknown;
    _meta?: Record<string, unknown>;
  };
  return { structured: structuredContent, text: textOf(Array.isArray(content) ? content : []), code: _meta?.['hotrag/error'] };
}

function textOf(blocks: readonly unknown[]): string {
  return blocks
    .map((block) => (typeof block === 'object' && block !== null && 'text' in block ? String(block.text) : ''))
    .join('\n');
}

/** The bytes of stdio, without a process. */
function pipeTo(server: RagServer): { readonly transport: Transport; readonly ended: () => Promise<void> } {
  const toServer = new PassThrough();
  const fromServer = new PassThrough();
  const served = serveStdio(server, { input: toServer, output: fromServer });
  const buffer = new ReadBuffer();
  const transport: Transport = {
    async start() {
      fromServer.on('data', (chunk: Buffer) => {
        buffer.append(chunk);
        for (let message = buffer.readMessage(); message !== null; message = buffer.readMessage()) transport.onmessage?.(message);
      });
    },
    async send(message) {
      toServer.write(serializeMessage(message));
    },
    async close() {
      toServer.end();
      transport.onclose?.();
    },
  };
  return { transport, ended: () => served };
}
