import * as z from 'zod';
import { once } from '../core/once.js';
import type { Rag } from '../core/types.js';
import type { Change } from './changes.js';
import { parseInput } from './input.js';
import type { Lasting } from './lasting.js';
import type { Principal } from './principal.js';
import type { ProgressUpdate } from './progress.js';
import type { SampleRequest, SampleResult } from './round-trip.js';

/** What clients are told of a tool. */
export interface ToolListing {
  readonly name: string;
  readonly title: string;
  /** A prompt: what it does, when to use it and when not. */
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
}

/** One tool, free of any protocol: every transport registers the same table. */
export interface Tool {
  readonly name: string;
  /** Its answer depends on what is indexed by now: told while indexing goes on. */
  readonly readsIndex: boolean;
  /** Each call is written to the audit log. */
  readonly writes: boolean;
  /** Made when first asked for, and not when the module is loaded. */
  readonly list: () => ToolListing;
  /** @throws RagError INPUT_INVALID when `input` misses the schema, before `rag` is asked for · whatever the engine throws */
  readonly call: (rag: () => Promise<Rag>, input: unknown, context: RunContext) => Promise<ToolOutput>;
}

/** Hints for the host: what may it run without asking its user. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  /** Does it reach beyond the documents and the engine that are configured? */
  readonly openWorldHint: boolean;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ToolOutput {
  /** As the output schema says. */
  readonly structured: object;
  /** The same for reading. */
  readonly text: string;
}

/** What a protocol brings along with a call. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** Resolves when the client can take more. Absent: nobody watches. */
  readonly progress?: ((update: ProgressUpdate) => Promise<void>) | undefined;
  /**
   * The folders that the client opens to us. Absent: this client's word doesn't count (it isn't a local process).
   * @throws RoundTrip where the client must be asked first
   */
  readonly clientRoots?: (() => Promise<readonly string[]>) | undefined;
  /**
   * Lets the client's own model write. Absent: this client offers none.
   * @throws RoundTrip where the client must be asked first · RagError where it refused
   */
  readonly sample?: ((request: SampleRequest) => Promise<SampleResult>) | undefined;
  /** @default the one user of this machine */
  readonly principal?: Principal | undefined;
}

/** What a tool runs with. */
export interface RunContext extends CallContext {
  /** Folders that sources must lie in; empty: no file may be read. */
  readonly allowedRoots: () => Promise<readonly string[]>;
  /** Runs what may take longer than the connection lasts. */
  readonly lasting: Lasting;
  /** Tells that documents came, changed or went. */
  readonly changed: (change: Change) => void;
}

/** How a tool is written down: `defineTool` makes a `Tool` of it. */
export interface ToolDefinition<Input extends z.ZodObject, Output extends object> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly readsIndex?: boolean;
  readonly input: Input;
  readonly output: z.ZodObject;
  run(rag: Rag, input: z.output<Input>, context: RunContext): Promise<Output>;
  render(output: Output, input: z.output<Input>): string;
}

/** Makes a table entry, which hides the tool's own types: input is checked on the way in. */
export function defineTool<Input extends z.ZodObject, Output extends object>(definition: ToolDefinition<Input, Output>): Tool {
  const { name, title, description, annotations, readsIndex = false, input: inputSchema, output: outputSchema } = definition;
  return {
    name,
    readsIndex,
    writes: !annotations.readOnlyHint,
    list: once(() => ({
      name,
      title,
      description,
      annotations,
      inputSchema: toJsonSchema(inputSchema),
      outputSchema: toJsonSchema(outputSchema),
    })),
    async call(rag, input, context) {
      const parsed = parseInput(inputSchema, input);
      const structured = await definition.run(await rag(), parsed, context);
      return { structured, text: definition.render(structured, parsed) };
    },
  };
}

/**
 * Without `$schema`, and within what draft-07 and 2020-12 have in common: clients of the older protocol generation read it as the one,
 * those of the newer as the other. `io: 'input'` also for outputs leaves objects open, so that a later field breaks no client.
 */
function toJsonSchema(schema: z.ZodObject): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
