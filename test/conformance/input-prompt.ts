import { inputRequired, inputResponse, type McpServer } from '@modelcontextprotocol/server';
import { say } from './content.js';
import { ask } from './question-tools.js';

const NAME = 'test_input_required_result_prompt';
const form = { type: 'object' as const, properties: { context: { type: 'string' as const } }, required: ['context'] };

/** A prompt that asks its user something first, which none of the server's own does: it stands before the server's handler. */
export function registerInputPrompt(protocol: McpServer): void {
  // The library has no way to ask for a handler, and the suite must meet the server's own for all other prompts.
  const { _requestHandlers: handlers } = protocol.server as unknown as { readonly _requestHandlers: Map<string, Handler> };
  const own = handlers.get('prompts/get');
  if (own === undefined) throw new Error('the server has no handler for prompts/get');
  protocol.server.setRequestHandler('prompts/get', (request, context) => {
    if (request.params.name !== NAME) return own({ ...request, jsonrpc: '2.0', id: context.mcpReq.id }, context) as never; // as that handler's
    const answer = inputResponse(context.mcpReq.inputResponses, 'user_context');
    if (answer.kind !== 'elicit') {
      return inputRequired({ inputRequests: { user_context: ask('What context should the prompt use?', form) } });
    }
    return { messages: [{ role: 'user', content: say(`Context: ${String(answer.content?.context)}`) }] };
  });
}

type Handler = (request: unknown, context: unknown) => Promise<unknown>;
