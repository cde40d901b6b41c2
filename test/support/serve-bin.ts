import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { kill } from './child.js';

/** The built bin that serves over HTTP. */
export interface ServedBin {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has logged. */
  readonly stderr: () => string;
  /** Its exit status; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

export interface ServeBinOptions {
  /** Its home and working folder, and where its configuration is written. */
  readonly folder: string;
  readonly config: object;
  /** Of `hotrag serve`. @default none */
  readonly args?: readonly string[];
  /** @default any that is free */
  readonly port?: number;
}

/** Resolves when it listens; killed when the test is over. @throws with what it logged, when it ends before */
export async function serveBin({ folder, config, args = [], port = 0 }: ServeBinOptions): Promise<ServedBin> {
  const bin = resolve(process.env['TEST_BIN'] ?? 'dist/cli/main.js');
  if (!existsSync(bin)) throw new Error(`${bin} is missing: run \`npm run build\` first`);
  const file = join(folder, 'hotrag.config.json');
  writeFileSync(file, JSON.stringify(config));
  const given = ['serve', '--transport', 'http', '--port', String(port), '--config', file, ...args];
  const child = spawn(process.execPath, [bin, ...given], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => kill(child));
  let text = '';
  const exited = once(child, 'exit').then(([code]) => code as number | null); // what the event carries
  const url = await new Promise<string>((settle, reject) => {
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = /listening on (\S+)/.exec(text)?.[1];
      if (found !== undefined) settle(found);
    });
    exited.then((code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  return { url, child, stderr: () => text, exited };
}

export interface ToolReply {
  readonly structured: Readonly<Record<string, unknown>> | undefined;
  readonly text: string;
  readonly code: string | undefined;
}

/** Calls a tool as a client of 2026-07-28 does, which needs no session. */
export async function callOverHttp(url: string, name: string, input: object): Promise<ToolReply> {
  const { result, error } = await requestOverHttp(url, 'tools/call', { name, arguments: input }, name);
  const { structuredContent, content, _meta } = (result ?? {}) as ToolResult;
  const text = content?.[0]?.text ?? JSON.stringify(error);
  return { structured: structuredContent, text, code: _meta?.['hotrag/error'] };
}

/** As the protocol has it. */
interface ToolResult {
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content?: readonly { readonly text: string }[];
  readonly _meta?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly result?: unknown;
  readonly error?: unknown;
}

/** @param name what the request is about: the tool, prompt or resource that its header must name. @default `params.name` */
export async function requestOverHttp(
  url: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  name = params['name'],
): Promise<Reply> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const response = await fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': headerOf(name) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  });
  const body = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body);
}

/** What can't stand in a header goes in base64, as the protocol says. */
function headerOf(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
