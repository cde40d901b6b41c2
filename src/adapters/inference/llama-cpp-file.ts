import type { ModelInfo } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { readModelFile } from '../model-file.js';
import { fieldsOf } from './json.js';
import { importLlamaCpp, type LlamaCppModule } from './llama-cpp-module.js';

/** What a model is for: its file says so, and nothing good comes of using it for something else. */
export type GgufRole = 'chat' | 'embed' | 'rank';

/** What the header of a GGUF file tells. */
export interface GgufFile {
  readonly module: LlamaCppModule;
  /** Differs where the model does, whatever the file is called. */
  readonly digest: string;
  readonly info: ModelInfo;
  /** Tokens that the model was made for. */
  readonly contextTokens: number;
  /** Numbers in one of its vectors. */
  readonly dimensions: number;
  readonly chatTemplate: string | undefined;
}

export interface GgufRequest {
  readonly path: string;
  readonly role: GgufRole;
  /** What is configured so, for messages. */
  readonly part: 'generator' | 'embedder' | 'reranker';
  /** @default imports `node-llama-cpp` */
  readonly load?: (() => Promise<LlamaCppModule>) | undefined;
}

/** Of a file that doesn't say. */
const UNTOLD_CONTEXT = 512;
/** `<architecture>.pooling_type` of llama.cpp: 0 = none, 1 = mean, 2 = CLS, 3 = last token, 4 = rank. */
const POOLING_RANK = 4;

const USES: Readonly<Record<GgufRole, string>> = { chat: 'writes text', embed: 'embeds', rank: 'ranks' };

/**
 * Reads the header of a GGUF file, which loads no model.
 * @throws RagError CONFIG_INVALID (no such file, not a GGUF, a model for something else) · DEPENDENCY_MISSING
 */
export async function openGguf({ path, role, part, load = importLlamaCpp }: GgufRequest): Promise<GgufFile> {
  const option = `${part}.path`;
  const { head, digest } = await readModelFile(path, option);
  if (head.toString('latin1', 0, 4) !== 'GGUF') {
    throw new RagError('CONFIG_INVALID', `${option}: ${path} is not a GGUF file (those begin with the letters GGUF)`, {
      adapter: 'llama-cpp',
    });
  }
  const module = await load();
  const metadata = await readMetadata(module, path, option);
  const general = fieldsOf(metadata.general);
  const own = fieldsOf(typeof general.architecture === 'string' ? metadata[general.architecture] : undefined);
  const template = fieldsOf(metadata.tokenizer).chat_template;
  const chatTemplate = typeof template === 'string' ? template : undefined;

  const found = roleOf(own, chatTemplate);
  if (found !== role) {
    throw new RagError('CONFIG_INVALID', `${option}: ${path} is a model that ${USES[found]}; one that ${USES[role]} is needed`, {
      adapter: 'llama-cpp',
    });
  }
  const dimensions = sizeOf(own.embedding_length);
  if (dimensions === undefined) {
    throw new RagError('CONFIG_INVALID', `${option}: ${path} does not tell the size of its vectors`, { adapter: 'llama-cpp' });
  }
  return {
    module,
    digest,
    info: infoOf(general, module),
    contextTokens: sizeOf(own.context_length) ?? UNTOLD_CONTEXT,
    dimensions,
    chatTemplate,
  };
}

async function readMetadata(module: LlamaCppModule, path: string, option: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const options = { readTensorInfo: false, sourceType: 'filesystem', logWarnings: false } as const;
    return fieldsOf((await module.readGgufFileInfo(path, options)).metadata);
  } catch (cause) {
    throw new RagError('CONFIG_INVALID', `${option}: the header of ${path} is broken: ${messageOf(cause)}`, {
      adapter: 'llama-cpp',
      cause,
    });
  }
}

/** Embedders name a pooling. Old files of encoders don't, but are not causal; a decoder that names none writes text. */
function roleOf(own: Readonly<Record<string, unknown>>, chatTemplate: string | undefined): GgufRole {
  const pooling = own.pooling_type;
  if (pooling === POOLING_RANK) return 'rank';
  if (typeof pooling === 'number' && pooling > 0) return 'embed';
  const isEncoder = fieldsOf(own.attention).causal === false;
  return isEncoder && chatTemplate === undefined ? 'embed' : 'chat';
}

function infoOf(general: Readonly<Record<string, unknown>>, { GgufFileType }: LlamaCppModule): ModelInfo {
  const { file_type: type, size_label: size, architecture: family } = general;
  const name = typeof type === 'number' ? GgufFileType[type] : undefined;
  return {
    quantization: typeof name === 'string' ? name.replace(/^MOSTLY_/, '') : undefined,
    size: typeof size === 'string' ? size : undefined,
    family: typeof family === 'string' ? family : undefined,
  };
}

function sizeOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}
