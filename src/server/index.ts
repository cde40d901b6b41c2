/** `hotrag/server`: the engine as an MCP server. */
export { buildInstructions, readInstructions, type Summary } from './instructions.js';
export { type ServeStdioOptions, serveStdio } from './protocol/stdio.js';
export { createServer, type RagServer, type ServerLogger, type ServerOptions, type ToolResult } from './server.js';
export type { CallContext, JsonSchema, Tool, ToolAnnotations, ToolListing, ToolOutput } from './tool.js';
