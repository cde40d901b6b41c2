import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  SdkError,
  SdkErrorCode,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { Cancelled } from '../lasting.js';
import { RoundTrip } from '../round-trip.js';
import type { RagServer, ToolResult } from '../server.js';
import type { CallContext, JsonSchema, Tool } from '../tool.js';
import { askClient, clientHooks } from './questions.js';
import type { Registration } from './register.js';

/**
 * How far the last progress goes ahead of the result, in milliseconds. Official clients of the older generation put a notification off by
 * one turn, but not a result: of both in one read, the progress comes after the result and is dropped.
 */
const PROGRESS_LEAD_MS = 10;

/** Puts the tool table into a protocol server. */
export function registerTools(protocol: McpServer, server: RagServer, registration: Registration): void {
  const { running } = registration;
  for (const tool of server.tools) {
    const { name, inputSchema, outputSchema, ...words } = tool.list();
    const config = { ...words, inputSchema: unchecked(inputSchema), outputSchema: unchecked(outputSchema) };
    protocol.registerTool(name, config, (input, request) => {
      const call = callTool(protocol, server, tool, input, request, registration);
      running.add(call);
      return call.finally(() => running.delete(call));
    });
  }
}

async function callTool(
  protocol: McpServer,
  server: RagServer,
  tool: Tool,
  input: unknown,
  request: ServerContext,
  registration: Registration,
): Promise<CallToolResult | InputRequiredResult> {
  const { principal, stopping } = registration;
  const cancelled = meantAborts(request.mcpReq.signal);
  let told = false;
  const send = progressOf(request);
  const progress: CallContext['progress'] =
    send &&
    (async (update) => {
      told = true;
      await send(update);
    });
  const signal = AbortSignal.any([cancelled, stopping]);
  try {
    const result = await server.call(tool, input, {
      ...clientHooks(protocol, request, server, registration),
      signal,
      progress,
      principal,
    });
    if (told) await delay(PROGRESS_LEAD_MS);
    await tell(request, tool, result);
    return toProtocol(result);
  } catch (error) {
    if (error instanceof RoundTrip) return askClient(error.question);
    if (stopping.aborted && !cancelled.aborted) return toProtocol(STOPPING);
    throw error;
  }
}

const STOPPING: ToolResult = {
  type: 'failed',
  code: 'TIMEOUT',
  retryable: true,
  text: 'TIMEOUT: the server is stopping and could not finish this in time.\n\nThe same call works when it runs again; an ingest then goes on where it was.',
};

/**
 * Tells a cancel that somebody meant from a connection that ended and from the patience of a client (official ones cancel what takes
 * longer than a minute): only the first ends work that lasts.
 */
function meantAborts(signal: AbortSignal): AbortSignal {
  const derived = new AbortController();
  const pass = () => {
    const { reason } = signal;
    const closed = reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed;
    const words = typeof reason === 'string' ? reason : 'the client cancelled';
    derived.abort(closed || /tim(?:ed|e) ?out/i.test(words) ? new Error(words) : new Cancelled(words));
  };
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return derived.signal;
}

function progressOf({ mcpReq }: ServerContext): CallContext['progress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (update) =>
    mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, ...update } })
      // A connection that is gone aborts the call by its signal; nothing is left to tell here.
      .catch(() => {});
}

/** To clients that show a log: what changed data, and what failed. */
async function tell({ mcpReq }: ServerContext, tool: Tool, result: ToolResult): Promise<void> {
  if (result.type === 'failed') await mcpReq.log('warning', { tool: tool.name, error: result.code }, 'hotrag').catch(() => {});
  else if (tool.writes) await mcpReq.log('info', { tool: tool.name, done: true }, 'hotrag').catch(() => {});
}

function toProtocol(result: ToolResult): CallToolResult {
  const content: CallToolResult['content'] = [{ type: 'text', text: result.text }];
  if (result.type === 'failed') {
    // Without structured content: clients check that against the output schema, which an error cannot meet.
    return { isError: true, content, _meta: { 'hotrag/error': result.code, 'hotrag/retryable': result.retryable } };
  }
  return { content, structuredContent: { ...result.structured } };
}

/** A schema that is shown to clients but lets every value through: input is checked by us, so that errors have our codes and words. */
function unchecked(jsonSchema: JsonSchema): StandardSchemaWithJSON {
  const convert = () => ({ ...jsonSchema });
  return {
    '~standard': {
      version: 1,
      vendor: 'hotrag',
      validate: (value) => ({ value }),
      jsonSchema: { input: convert, output: convert },
    },
  };
}
