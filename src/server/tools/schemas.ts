import * as z from 'zod';
import type { Metadata } from '../../core/contracts.js';
import { unknownKeys } from '../input.js';

/**
 * Pieces that the tools' schemas share. Inputs are strict objects; outputs are open ones without tuples, because clients of the older
 * protocol generation check results with draft-07, which reads a tuple's `prefixItems` as nothing and then refuses the rest.
 */

/** An object that refuses keys it doesn't know, with the nearest right name. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, known) : undefined),
  });
}

/** What a union says when no alternative fits: the library would list what each of them misses. */
export function orElse(words: string) {
  return { error: ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is required' : words) };
}

// ── Inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const collection = z.string().optional().meta({ description: 'Collection to work on. Leave out for the default one.' });

export const filter = z
  .record(z.string(), z.unknown())
  .optional()
  .meta({
    description:
      'Only documents whose metadata matches, such as {"year":{"$gte":2020},"lang":"en"}. A plain value means equality. Operators on a field: ' +
      '$eq $ne $gt $gte $lt $lte $in $nin $exists $contains $containsAny (lists) $startsWith; around filters: $and $or (lists), $not. ' +
      'Also $uri, $documentId, $group, $id as fields. Types are strict: 2020 is not "2020".',
  });

export const metadata = z.record(z.string(), z.unknown()).meta({
  description: 'Fields to filter by later: text, number, true/false, or a list of one of these.',
  // The engine checks values on every write and names the path of a wrong one; doing it here too could only disagree.
}) as unknown as z.ZodType<Metadata>;

export const topK = z.int().min(1).max(100).optional().meta({ description: 'How many hits.', default: 5 });

export const mode = z.enum(['hybrid', 'vector', 'keyword']).optional().meta({
  description: 'hybrid: meaning and words together; keyword: exact names, codes and rare words; vector: meaning only.',
  default: 'hybrid',
});

// ── Outputs ─────────────────────────────────────────────────────────────────────────────────────────────────────

const scalar = z.union([z.string(), z.number(), z.boolean()]);
export const metadataOut = z.record(z.string(), z.union([scalar, z.array(scalar)]));
const numberOrNull = z.union([z.number(), z.null()]);

/** Two numbers, first and last. */
export const pair = z.array(z.int()).length(2);

export const hit = z.object({
  id: z.string().meta({ description: 'Give it to read-document as `around` to read on.' }),
  documentId: z.string(),
  uri: z.string(),
  text: z.string(),
  score: z.number().meta({ description: 'Higher is better; comparable within one result only.' }),
  group: z.string(),
  span: pair.meta({ description: 'UTF-16 offsets in the extracted text.' }),
  location: z.object({ lines: pair.optional(), page: z.int().optional(), headings: z.array(z.string()).optional() }),
  metadata: metadataOut,
  cut: z.boolean().optional().meta({ description: 'True when maxChars shortened the text.' }),
});

const problem = z.object({ uri: z.string(), code: z.string(), message: z.string() });

export const ingestReport = z.object({
  added: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  removed: z.int(),
  failed: z.array(problem),
  warnings: z.array(problem.omit({ code: true })),
  documents: z.int(),
  chunks: z.int().meta({ description: 'Chunks written.' }),
  tookMs: z.number(),
});

export const explanation = z.object({
  stages: z.array(z.object({ name: z.string(), ms: z.number(), detail: z.string() })),
  index: z.string(),
  pushedDown: z.union([z.record(z.string(), z.unknown()), z.null()]),
  residual: z.union([z.record(z.string(), z.unknown()), z.null()]),
});

export const answerMetrics = z.object({
  ttftMs: numberOrNull,
  tpotMs: numberOrNull,
  inputTokens: numberOrNull,
  cachedTokens: numberOrNull,
  outputTokens: numberOrNull,
  tokensPerSecond: numberOrNull,
  queueMs: numberOrNull,
  loadMs: numberOrNull,
  retrieveMs: numberOrNull,
  totalMs: z.number(),
  source: z.enum(['client', 'engine']),
});

export const cacheLayer = z.object({
  hits: z.int(),
  misses: z.int(),
  hitRate: z.number(),
  entries: z.int(),
  bytes: z.int(),
  evictions: z.int(),
  savedMs: z.number(),
  tiers: z.array(z.object({ name: z.string(), hits: z.int(), misses: z.int(), errors: z.int() })),
});
