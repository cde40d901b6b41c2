import type { CallOptions, TextGenerator } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import type { EngineGenerator } from './engine.js';
import { openFailover } from './failover.js';
import type { Candidate } from './failover-member.js';
import type { LlamaCppOptions } from './llama-cpp-options.js';
import { noModel, openOllamaGenerator } from './ollama.js';
import { ollamaAddress } from './ollama-client.js';
import { detectOllama } from './ollama-models.js';
import type { OllamaOptions } from './ollama-options.js';
import type { OpenAiOptions } from './openai-options.js';

/** Of answers of a local Ollama that nobody configured. */
const LOCAL_RETRIES = 2;

/** What `generator` may hold: the options of an engine, or a generator of one's own. */
export type GeneratorConfig = EngineConfig | TextGenerator;

type EngineConfig = OllamaOptions | OpenAiOptions | LlamaCppOptions;

/** What an engine takes from outside. */
export interface GeneratorSeams {
  /** The value of OLLAMA_HOST. */
  readonly ollamaHost?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
  /** From 0 to 1, for the pauses before retries. @default Math.random */
  readonly random?: (() => number) | undefined;
  /** How long to look for a local Ollama where nothing is configured. @default 300 */
  readonly detectTimeoutMs?: number | undefined;
}

/**
 * The generator to answer with: those configured, in the order in which they are tried for each answer; where none is configured, a local
 * Ollama. A generator of one's own that stands alone is taken as it is.
 *
 * Call it at the first answer, not at start: it asks the servers, which may be started later. Keep what it gives, not its failures.
 * @throws RagError NO_ENGINE (nothing configured, nothing local) · the engine's own failure, or one error on all of several ·
 *   `signal.reason` once aborted
 */
export async function openGenerator(
  configs: readonly GeneratorConfig[] | undefined,
  seams: GeneratorSeams = {},
  call: CallOptions = {},
): Promise<TextGenerator> {
  const { clock = () => performance.now(), random } = seams;
  const failover = { clock, random };
  const [first, ...others] = configs ?? [];
  if (first === undefined) {
    const local = { name: 'ollama', id: 'local', open: (options: CallOptions) => openLocal(seams, options) };
    return openFailover({ ...failover, candidates: [local], retries: LOCAL_RETRIES }, call);
  }
  if (others.length === 0 && isOwn(first)) return first;
  const all = [first, ...others];
  const retries = Math.max(...all.map((config) => (isOwn(config) || config.type === 'llama-cpp' ? 0 : config.retries)));
  return openFailover({ ...failover, candidates: all.map((config) => candidateOf(config, seams)), retries }, call);
}

function isOwn(config: GeneratorConfig): config is TextGenerator {
  return 'generate' in config;
}

function candidateOf(config: GeneratorConfig, seams: GeneratorSeams): Candidate {
  if (isOwn(config)) return { name: `${config.engine} ${config.model}`, id: config.id, open: async () => config };
  return {
    name: `${config.type} ${(config.type === 'llama-cpp' ? config.path : config.model) ?? ''}`.trim(),
    id: answerId(config),
    open: (options) => openOne(config, seams, options),
  };
}

/** Whatever changes an engine's answers: its configuration, less how it is reached and how long it is waited for. */
function answerId(config: EngineConfig): string {
  if (config.type === 'llama-cpp') {
    const { threads: _, gpu: __, concurrency: ___, ...rest } = config;
    return JSON.stringify(rest);
  }
  const { url: _, apiKey: __, timeoutMs: ___, stallMs: ____, concurrency: _____, retries: ______, ...rest } = config;
  return JSON.stringify(Object.entries(rest).sort(([left], [right]) => (left < right ? -1 : 1)));
}

async function openOne(
  config: EngineConfig,
  { ollamaHost, fetch, clock }: GeneratorSeams,
  call: CallOptions,
): Promise<EngineGenerator> {
  switch (config.type) {
    case 'ollama': {
      const { type: _, ...options } = config;
      return openOllamaGenerator({ ...options, url: config.url ?? ollamaHost, fetch, clock }, call);
    }
    case 'openai-compatible': {
      const { openOpenAiGenerator } = await import('./openai-compatible.js');
      const { type: _, ...options } = config;
      return openOpenAiGenerator({ ...options, fetch, clock }, call);
    }
    case 'llama-cpp': {
      const { openLlamaCppGenerator } = await import('./llama-cpp.js');
      return openLlamaCppGenerator({ ...config, clock });
    }
  }
}

async function openLocal(
  { ollamaHost, fetch, clock, detectTimeoutMs }: GeneratorSeams,
  call: CallOptions,
): Promise<TextGenerator> {
  const connection = { url: ollamaHost, fetch };
  const { url } = ollamaAddress(connection);
  const detection = await detectOllama({ ...connection, ...call, timeoutMs: detectTimeoutMs });
  switch (detection.found) {
    case 'model':
      return openOllamaGenerator({ ...connection, model: detection.model, clock }, call);
    case 'server':
      throw noModel(url);
    case 'nothing':
      throw new RagError('NO_ENGINE', `No generator is configured. ${detection.error.message}`, { cause: detection.error });
  }
}
