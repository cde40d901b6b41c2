import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { folderOfRoot } from '../roots.js';
import { RoundTrip } from '../round-trip.js';
import type { RagServer, ToolResult } from '../server.js';
import type { CallContext, JsonSchema, Tool } from '../tool.js';

export interface RegisterOptions {
  readonly instructions: string;
  /** May the client name folders to read from? Only one on this machine may. */
  readonly trustClientRoots: boolean;
  /** Calls under way: added when they begin, removed when they end. */
  readonly running: Set<Promise<unknown>>;
}

/**
 * How far the last progress goes ahead of the result, in milliseconds. Official clients of the older generation put a notification off by
 * one turn, but not a result: of both in one read, the progress comes after the result and is dropped.
 */
const PROGRESS_LEAD_MS = 10;

/** Puts the tool table into a protocol server, for one connection of either protocol generation. */
export function registerTools(server: RagServer, options: RegisterOptions): McpServer {
  const { name, version } = server;
  const protocol = new McpServer(
    { name, version, title: 'hotrag' },
    { instructions: options.instructions, capabilities: { tools: { listChanged: false } } },
  );
  for (const tool of server.tools) {
    const { name, inputSchema, outputSchema, ...words } = tool.list();
    const config = { ...words, inputSchema: unchecked(inputSchema), outputSchema: unchecked(outputSchema) };
    protocol.registerTool(name, config, (input, request) => {
      const call = callTool(server, tool, input, contextOf(protocol, request, server, options));
      options.running.add(call);
      return call.finally(() => options.running.delete(call));
    });
  }
  return protocol;
}

async function callTool(
  server: RagServer,
  tool: Tool,
  input: unknown,
  context: CallContext,
): Promise<CallToolResult | InputRequiredResult> {
  let told = false;
  const progress: CallContext['progress'] = async (update) => {
    told = true;
    await context.progress?.(update);
  };
  try {
    const result = await server.call(tool, input, { ...context, progress: context.progress && progress });
    if (told) await delay(PROGRESS_LEAD_MS);
    return toProtocol(result);
  } catch (error) {
    if (error instanceof RoundTrip) return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
    throw error;
  }
}

function toProtocol(result: ToolResult): CallToolResult {
  const content: CallToolResult['content'] = [{ type: 'text', text: result.text }];
  if (result.type === 'failed') {
    // Without structured content: clients check that against the output schema, which an error cannot meet.
    return { isError: true, content, _meta: { 'hotrag/error': result.code, 'hotrag/retryable': result.retryable } };
  }
  return { content, structuredContent: { ...result.structured } };
}

function contextOf(
  protocol: McpServer,
  request: ServerContext,
  server: RagServer,
  { trustClientRoots }: RegisterOptions,
): CallContext {
  const { signal, _meta } = request.mcpReq;
  const progressToken = _meta?.progressToken;
  return {
    signal,
    progress:
      progressToken === undefined
        ? undefined
        : (update) =>
            request.mcpReq
              .notify({ method: 'notifications/progress', params: { progressToken, ...update } })
              // A connection that is gone aborts the call by its signal; nothing is left to tell here.
              .catch(() => {}),
    clientRoots: trustClientRoots ? () => clientRoots(protocol, request, server) : undefined,
  };
}

/** The folders that the client opens; asked for in the one way that works in both generations: the call runs again with the answer. */
async function clientRoots(protocol: McpServer, request: ServerContext, server: RagServer): Promise<readonly string[]> {
  // 2026-07-28 sends capabilities with each request, earlier protocols with the handshake.
  const envelope = request.mcpReq.envelope as Envelope | undefined; // the library's own type of it lost its keys
  const capabilities = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? protocol.server.getClientCapabilities();
  if (capabilities?.roots === undefined) return [];
  const answers = request.mcpReq.inputResponses;
  if (answers === undefined) throw new RoundTrip('roots');
  const answer = inputResponse(answers, 'roots');
  if (answer.kind !== 'roots') return [];
  return answer.roots.flatMap(({ uri }) => {
    const folder = folderOfRoot(uri);
    if (folder === undefined) server.logger.warn(`the client's root ${uri} is no folder of this machine; it was left out`);
    return folder ?? [];
  });
}

type Envelope = { readonly [CLIENT_CAPABILITIES_META_KEY]?: { readonly roots?: unknown } };

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
