import type { CallOptions, TextGenerator } from '../../core/contracts.js';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { noModel, openOllamaGenerator } from './ollama.js';
import { ollamaAddress } from './ollama-client.js';
import { detectOllama } from './ollama-models.js';
import type { OllamaOptions } from './ollama-options.js';

/** What `generator` may hold: the options of an engine, or a generator of one's own. */
export type GeneratorConfig = OllamaOptions | TextGenerator;

/** What an engine takes from outside. */
export interface GeneratorSeams {
  /** The value of OLLAMA_HOST. */
  readonly ollamaHost?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
  /** How long to look for a local Ollama where nothing is configured. @default 300 */
  readonly detectTimeoutMs?: number | undefined;
}

/**
 * The generator to answer with: the first of those configured that opens; where none is configured, a local Ollama.
 * Call it at the first answer, not at start: it asks the server, which may be started later. Keep what it gives, not its failures.
 * @throws RagError NO_ENGINE (nothing configured, nothing local) · the engine's own failure, or one error on all of several ·
 *   `signal.reason` once aborted
 */
export async function openGenerator(
  configs: readonly GeneratorConfig[] | undefined,
  seams: GeneratorSeams = {},
  call: CallOptions = {},
): Promise<TextGenerator> {
  if (configs === undefined || configs.length === 0) return openLocal(seams, call);
  const failures: RagError[] = [];
  for (const config of configs) {
    try {
      return await openOne(config, seams, call);
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      failures.push(isRagError(error) ? error : new RagError('UPSTREAM_FAILED', messageOf(error), { cause: error }));
    }
  }
  const [first, ...others] = failures;
  if (first !== undefined && others.length === 0) throw first;
  throw new RagError(
    'NO_ENGINE',
    `None of the configured generators works. ${failures.map(({ message }) => message).join(' · ')}`,
    {
      cause: new AggregateError(failures),
      retryable: failures.some(({ retryable }) => retryable),
    },
  );
}

async function openOne(
  config: GeneratorConfig,
  { ollamaHost, fetch, clock }: GeneratorSeams,
  call: CallOptions,
): Promise<TextGenerator> {
  if ('generate' in config) return config;
  switch (config.type) {
    case 'ollama': {
      const { type: _, ...options } = config;
      return openOllamaGenerator({ ...options, url: config.url ?? ollamaHost, fetch, clock }, call);
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
