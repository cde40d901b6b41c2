import { setTimeout as delay } from 'node:timers/promises';
import type { CallToolResult, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { audio, embed, image, say } from './content.js';
import { registerQuestionTools } from './question-tools.js';
import { registerSchemaTools } from './schema-tools.js';

/** The tools that the conformance suite calls. They exist here only: the shipped server has its own seven. */

type Answer = CallToolResult | InputRequiredResult;

const PAUSE_MS = 50; // the suite's own: it wants messages one by one

export function registerTestTools(protocol: McpServer): void {
  const tool = (name: string, run: (context: ServerContext) => Promise<Answer> | Answer) =>
    protocol.registerTool(name, { description: `Conformance: ${name}`, inputSchema: z.object({}) }, (_input, context) =>
      run(context),
    );

  tool('test_simple_text', () => ({ content: [say('This is a simple text response for testing.')] }));
  tool('test_image_content', () => ({ content: [image] }));
  tool('test_audio_content', () => ({ content: [audio] }));
  tool('test_embedded_resource', () => ({
    content: [embed('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  tool('test_multiple_content_types', () => ({
    content: [
      say('Multiple content types test:'),
      image,
      embed('test://mixed-content-resource', 'application/json', JSON.stringify({ test: 'data', value: 123 })),
    ],
  }));
  tool('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('test_tool_with_logging', async ({ mcpReq }) => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', message);
      await delay(PAUSE_MS);
    }
    return { content: [say('done')] };
  });
  tool('test_logging_tool', async ({ mcpReq }) => {
    await mcpReq.log('info', 'a message that only those get who asked for it');
    return { content: [say('done')] };
  });
  tool('test_tool_with_progress', async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      await delay(PAUSE_MS);
    }
    return { content: [say('done')] };
  });
  tool('test_reconnection', async ({ http }) => {
    http?.closeSSE?.();
    await delay(2 * PAUSE_MS);
    return { content: [say('The stream was closed and found again.')] };
  });
  registerSchemaTools(protocol);
  registerQuestionTools(protocol);
}
