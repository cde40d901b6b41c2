import * as z from 'zod';

/** Who may use a server: a token, or its SHA-256 so that the file holds no secret. */
const token = z.union([
  z.string().min(16),
  z.strictObject({
    token: z.string().min(16).optional().describe('The token itself, at least 16 characters.'),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
      .optional()
      .describe('Or the SHA-256 of it, as `printf %s TOKEN | sha256sum` prints it.'),
    name: z.string().min(1).max(64).optional().describe('What the audit log calls its holder.'),
    access: z.enum(['read', 'write']).default('write').describe('`read`: no ingesting, no deleting.'),
    collections: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('The only collections that it opens; the first is its default.'),
  }),
]);

/** How `hotrag serve --transport http` listens, and who may use it. */
export const serverOptions = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; another than this machine’s own needs a token.'),
    port: z.int().min(0).max(65_535).default(7411).describe('Port to listen on; 0 takes any that is free.'),
    token: z.string().min(16).optional().describe('One token that opens everything.').meta({ secret: true }),
    tokens: z
      .array(token)
      .optional()
      .describe('Several tokens, each with its rights: `[{ "sha256": "…", "access": "read", "collections": ["docs"] }]`.')
      .meta({ secret: true }),
    hosts: z
      .array(z.string().min(1))
      .optional()
      .describe('Further names that the server is reached by, as in the header `Host`.'),
    origins: z.array(z.url()).optional().describe('Web pages that may use it from a browser, as origins.'),
    sessions: z
      .boolean()
      .default(true)
      .describe('Sessions for clients of protocol 2025-11-25 and before; `false` where replicas share one address.'),
    requestsPerSecond: z
      .number()
      .positive()
      .default(500)
      .describe('Requests of one token, in the mean; twice as many may come at once.'),
    concurrent: z.int().min(1).default(256).describe('Requests of one token that are worked on at the same time.'),
    bodyBytes: z.int().min(1024).max(1_073_741_824).default(16_777_216).describe('Largest request, in bytes.'),
    graceMs: z
      .int()
      .min(0)
      .max(600_000)
      .default(10_000)
      .describe('How long answers under way may take after SIGTERM, in milliseconds.'),
    audit: z.string().min(1).optional().describe('Where calls that could change data are logged: `stderr`, or a file.'),
  })
  .prefault({})
  .describe('`hotrag serve --transport http`.');
