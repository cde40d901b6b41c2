/** `hotrag/server`: the engine as an MCP server. */

export type { TokenRule } from './access.js';
export type { Audit, AuditEntry } from './audit.js';
export type { Change, Changes } from './changes.js';
export { type Exchange, HttpProblem, type Route } from './http/exchange.js';
export { buildInstructions, readInstructions, type Summary } from './instructions.js';
export type { Principal } from './principal.js';
export { type HttpService, type ServeHttpOptions, serveHttp } from './protocol/http.js';
export { type ServeStdioOptions, serveStdio } from './protocol/stdio.js';
export { createServer, type RagServer, type ServerLogger, type ServerOptions, type ToolResult } from './server.js';
export type { CallContext, JsonSchema, Tool, ToolAnnotations, ToolListing, ToolOutput } from './tool.js';
