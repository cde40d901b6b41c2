import type { McpServer, StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { say } from './content.js';

/** The suite's tools whose schemas are looked at: rich ones must arrive as they are, and arguments may be sent as headers, too. */
export function registerSchemaTools(protocol: McpServer): void {
  const schemas = { json_schema_2020_12_tool: RICH, test_custom_headers_tool: WITH_HEADERS };
  for (const [name, schema] of Object.entries(schemas)) {
    protocol.registerTool(name, { description: `Conformance: ${name}`, inputSchema: asIs(schema) }, () => ({
      content: [say('done')],
    }));
  }
}

const text = { type: 'string' };

const RICH = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: text, city: text } } },
  properties: {
    name: text,
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: text,
    email: text,
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const WITH_HEADERS = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };

function asIs(schema: Readonly<Record<string, unknown>>): StandardSchemaWithJSON {
  const convert = () => ({ ...schema });
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value }),
      jsonSchema: { input: convert, output: convert },
    },
  };
}
