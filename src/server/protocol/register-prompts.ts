import { type GetPromptResult, type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { checkPromptInput } from '../prompts.js';
import type { RagServer } from '../server.js';
import { asProtocolError } from './failure.js';
import type { Registration } from './register.js';

/** Puts the prompt table into a protocol server. */
export function registerPrompts(protocol: McpServer, server: RagServer, { principal }: Registration): void {
  protocol.server.setRequestHandler('prompts/list', () => ({
    prompts: server.prompts.map(({ name, title, description, arguments: inputs }) => ({
      name,
      title,
      description,
      arguments: inputs.map((input) => ({ ...input })),
    })),
  }));

  protocol.server.setRequestHandler('prompts/get', async ({ params }, { mcpReq: { signal } }) => {
    const prompt = server.prompts.find(({ name }) => name === params.name);
    if (prompt === undefined) {
      const known = server.prompts.map(({ name }) => name).join(', ');
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `there is no prompt ${JSON.stringify(params.name)}; there are ${known}`,
      );
    }
    try {
      const input = checkPromptInput(prompt, params.arguments ?? {});
      const messages = await prompt.build(await server.engine({ principal, signal }), input, signal);
      // A content block of a prompt is the protocol's own, which the neutral table doesn't spell out.
      return { description: prompt.description, messages: messages as unknown as GetPromptResult['messages'] };
    } catch (error) {
      throw asProtocolError(error, server, `prompts/get ${prompt.name}`);
    }
  });
}
