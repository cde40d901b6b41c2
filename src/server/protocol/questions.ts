import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { RagError } from '../../core/errors.js';
import { folderOfRoot } from '../roots.js';
import { type Question, RoundTrip, type SampleRequest, type SampleResult } from '../round-trip.js';
import type { RagServer } from '../server.js';
import type { CallContext } from '../tool.js';
import type { Registration } from './register.js';

/** Questions to the client, asked in the one way that works in both generations: the call runs again with the answer. */

/** Most tokens of an answer, where the caller names no bound; the protocol wants one. */
const ANSWER_TOKENS = 1_024;

const ROOTS = 'roots';

/** What the client of a request can be asked for. */
export function clientHooks(
  protocol: McpServer,
  request: ServerContext,
  server: RagServer,
  { trustClientRoots }: Registration,
): Pick<CallContext, 'clientRoots' | 'sample'> {
  const capabilities = capabilitiesOf(protocol, request);
  return {
    clientRoots: trustClientRoots ? async () => (capabilities.roots === undefined ? [] : rootsOf(request, server)) : undefined,
    sample: capabilities.sampling === undefined ? undefined : (question) => sampleOf(request, question),
  };
}

/** The result that asks. */
export function askClient(question: Question): InputRequiredResult {
  switch (question.kind) {
    case 'roots':
      return inputRequired({ inputRequests: { [question.key]: inputRequired.listRoots() } });
    case 'sample': {
      const { messages, maxTokens = ANSWER_TOKENS, temperature } = question.request;
      const systemPrompt = messages.flatMap(({ role, content }) => (role === 'system' ? [content] : [])).join('\n\n');
      const turns = messages.flatMap(({ role, content }) =>
        role === 'system' ? [] : [{ role, content: { type: 'text' as const, text: content } }],
      );
      const params = {
        messages: turns,
        maxTokens,
        ...(systemPrompt !== '' && { systemPrompt }),
        ...(temperature !== undefined && { temperature }),
      };
      return inputRequired({ inputRequests: { [question.key]: inputRequired.createMessage(params) } });
    }
  }
}

interface Capabilities {
  readonly roots?: unknown;
  readonly sampling?: unknown;
}

/** 2026-07-28 sends them with each request, earlier protocols with the handshake. */
function capabilitiesOf(protocol: McpServer, request: ServerContext): Capabilities {
  const envelope = request.mcpReq.envelope as Envelope | undefined; // the library's own type of it lost its keys
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? protocol.server.getClientCapabilities() ?? {};
}

type Envelope = { readonly [CLIENT_CAPABILITIES_META_KEY]?: Capabilities };

function rootsOf(request: ServerContext, server: RagServer): readonly string[] {
  const answer = inputResponse(request.mcpReq.inputResponses, ROOTS);
  if (answer.kind === 'missing' && request.mcpReq.inputResponses === undefined)
    throw new RoundTrip({ kind: 'roots', key: ROOTS });
  if (answer.kind !== 'roots') return [];
  return answer.roots.flatMap(({ uri }) => {
    const folder = folderOfRoot(uri);
    if (folder === undefined) server.logger.warn(`the client's root ${uri} is no folder of this machine; it was left out`);
    return folder ?? [];
  });
}

async function sampleOf(request: ServerContext, sample: SampleRequest): Promise<SampleResult> {
  // What the client answered must be an answer to this prompt: documents may have changed since it was asked.
  const { createHash } = await import('node:crypto'); // not before it is needed: handshakes wait for every import
  const key = `sample-${createHash('sha256').update(JSON.stringify(sample)).digest('hex').slice(0, 16)}`;
  const answer = inputResponse(request.mcpReq.inputResponses, key);
  if (answer.kind === 'missing') throw new RoundTrip({ kind: 'sample', key, request: sample });
  if (answer.kind !== 'sampling')
    throw new RagError('UPSTREAM_FAILED', "the client's model answered with something else than a message");
  const { content, model, stopReason } = answer.result;
  const text = textOf(content);
  return { text, model: typeof model === 'string' ? model : 'unknown', finish: stopReason === 'maxTokens' ? 'length' : 'stop' };
}

/** The texts of a message; it comes from outside and has been checked by nobody. */
function textOf(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [content];
  return blocks
    .flatMap((block) => {
      const text = typeof block === 'object' && block !== null && 'text' in block ? block.text : undefined;
      return typeof text === 'string' ? [text] : [];
    })
    .join('');
}
