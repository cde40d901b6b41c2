import type { Ollama } from 'ollama';
import { DEFAULT_CONTEXT_TOKENS } from '../../core/budget.js';
import type { CallOptions, ModelInfo } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { compareText } from '../../core/ids.js';
import { createDeadline } from './deadline.js';
import { connectOllama, type OllamaConnection, ollamaAddress, ollamaFailure } from './ollama-client.js';

/** Reading a model's file on a busy machine takes this long at most. */
const SHOW_TIMEOUT_MS = 10_000;
/** Models asked about before giving up; an `ollama list` longer than this holds one that chats earlier. */
const MOST_ASKED = 32;

/** What there is at an address. */
export type OllamaDetection =
  | { readonly found: 'model'; readonly model: string }
  /** A server without a model that could write. */
  | { readonly found: 'server' }
  | { readonly found: 'nothing'; readonly error: RagError };

export interface DetectOptions extends OllamaConnection, CallOptions {
  /** For the answer whether there is a server at all. @default 300 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Looks for an Ollama and for the model that it would answer with: of those installed on it that can chat, the one that was
 * pulled or changed last (equal times: the first by name). Cloud models are passed over: documents leave the machine only for a
 * model that somebody named.
 * @throws RagError CONFIG_INVALID (the url) · `signal.reason` once aborted
 */
export async function detectOllama({ timeoutMs = 300, signal, ...connection }: DetectOptions): Promise<OllamaDetection> {
  try {
    const { models } = await askOllama(connection, { signal, timeoutMs }, (client) => client.list());
    const installed = models
      .filter((model) => !('remote_host' in model && model.remote_host))
      .sort(
        (left, right) =>
          Date.parse(String(right.modified_at)) - Date.parse(String(left.modified_at)) || compareText(left.name, right.name),
      );
    for (const { name, details } of installed.slice(0, MOST_ASKED)) {
      const { chats } = await showModel({ ...connection, model: name, family: details?.family }, { signal });
      if (chats) return { found: 'model', model: name };
    }
    return { found: 'server' };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const failure = ollamaFailure(error, connection);
    if (failure.code === 'CONFIG_INVALID' || failure.code === 'DEPENDENCY_MISSING') throw failure;
    return { found: 'nothing', error: failure };
  }
}

export interface ModelFacts {
  readonly chats: boolean;
  /** What a request may hold, prompt and answer: the Modelfile's `num_ctx`, else 8,192; never above what the model was made for. */
  readonly contextTokens: number;
  /** undefined where the server doesn't tell. */
  readonly embeds: boolean | undefined;
  readonly info: ModelInfo;
}

/**
 * What the server tells of a model.
 * @param about.wanted tokens of context asked for, over the Modelfile's
 * @throws RagError UPSTREAM_FAILED (not installed, with what to do) · as any call
 */
export async function showModel(
  about: OllamaConnection & {
    readonly model: string;
    readonly family?: string | undefined;
    readonly wanted?: number | undefined;
  },
  options: CallOptions,
): Promise<ModelFacts> {
  const shown: object = await askOllama(about, { ...options, timeoutMs: SHOW_TIMEOUT_MS }, (client) =>
    client.show({ model: about.model }),
  );
  const {
    capabilities,
    parameters,
    details,
    model_info: info,
  } = shown as { capabilities?: unknown; parameters?: unknown; details?: unknown; model_info?: unknown }; // the wire's form; the package's types promise more
  const made = Object.entries(info ?? {}).find(([name]) => name.endsWith('.context_length'))?.[1];
  const own = /^num_ctx\s+(\d+)/m.exec(String(parameters ?? ''))?.[1];
  const wanted = about.wanted ?? (own === undefined ? DEFAULT_CONTEXT_TOKENS : Number(own));
  return {
    // Older servers tell no capabilities; then the families of embedding models decide.
    chats: Array.isArray(capabilities) ? capabilities.includes('completion') : !/bert/i.test(about.family ?? ''),
    contextTokens: typeof made === 'number' && made > 0 ? Math.min(wanted, made) : wanted,
    embeds: Array.isArray(capabilities) ? capabilities.includes('embedding') : undefined,
    info: infoOf(details),
  };
}

function infoOf(details: unknown): ModelInfo {
  const told = (name: string) => {
    const value: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, name) : undefined;
    return typeof value === 'string' && value !== '' && value !== 'unknown' ? value : undefined;
  };
  return { quantization: told('quantization_level'), size: told('parameter_size'), family: told('family') };
}

/** One short question to the server, in at most `timeoutMs`. @throws as any call */
export async function askOllama<Reply>(
  connection: OllamaConnection,
  { signal, timeoutMs }: CallOptions & { readonly timeoutMs: number },
  question: (client: Ollama) => Promise<Reply>,
): Promise<Reply> {
  const { url } = ollamaAddress(connection);
  const deadline = createDeadline(signal);
  try {
    const client = await connectOllama(connection, deadline.signal);
    // Armed after the package was imported: that is no time of the server's.
    deadline.arm(
      timeoutMs,
      () => new RagError('TIMEOUT', `Ollama at ${url} did not answer within ${timeoutMs} ms`, { adapter: 'ollama' }),
    );
    return await abortable(question(client), deadline.signal);
  } catch (error) {
    if (deadline.signal.aborted) throw deadline.signal.reason;
    throw ollamaFailure(error, connection);
  } finally {
    deadline.close();
  }
}
