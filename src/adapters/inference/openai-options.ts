import * as z from 'zod';
import { openAiBase } from './openai-address.js';

/** Ways to steer the writing that engines of this kind have. They ignore names that they don't know, so a misspelt one is refused. */
const PARAMETERS = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'min_tokens',
  'ignore_eos',
  'skip_special_tokens',
  'response_format',
  'reasoning_effort',
  'user',
  // vLLM
  'structured_outputs',
  'priority',
  'cache_salt',
  'chat_template_kwargs',
  'include_reasoning',
  'allowed_token_ids',
  'bad_words',
  'vllm_xargs',
  'kv_transfer_params',
  // llama-server
  'cache_prompt',
  'id_slot',
  'repeat_penalty',
  'repeat_last_n',
  'typical_p',
  'mirostat',
  'grammar',
  'json_schema',
] as const;

/** What every part that talks to such a server has. */
export const openAiConnection = {
  url: z
    .string()
    .min(1)
    .superRefine((url, context) => {
      const read = openAiBase(url);
      if ('problem' in read) context.addIssue({ code: 'custom', message: read.problem });
    })
    .describe('Address of the server, such as `http://gpu:8000/v1`; `/v1` is added where there is no path.'),
  apiKey: z.string().min(1).optional().meta({ secret: true }).describe('Bearer token, where the server asks for one.'),
};

/** Options of a generator on a server with OpenAI's interface: vLLM, LMDeploy, LightLLM, llama-server and others. */
export const openAiOptions = z
  .strictObject({
    type: z.literal('openai-compatible'),
    ...openAiConnection,
    model: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the model as the server lists it. Without one: the only one that it serves.'),
    api: z
      .enum(['chat', 'completions'])
      .default('chat')
      .describe('Which call writes: `chat`, or `completions` for models without a chat template.'),
    contextTokens: z
      .int()
      .min(512)
      .optional()
      .describe('Tokens that prompt and answer may take together. Without it: what the server tells, else 8192.'),
    options: z
      .partialRecord(z.enum(PARAMETERS), z.json())
      .optional()
      .describe('Parameters of the engine, such as `{ "top_k": 20, "chat_template_kwargs": { "enable_thinking": false } }`.'),
    extra: z
      .record(z.string(), z.json())
      .optional()
      .describe('Further fields of the request, sent as they are and unchecked; engines ignore those that they don’t know.'),
    timeoutMs: z
      .int()
      .min(1)
      .max(3_600_000)
      .default(120_000)
      .describe('Milliseconds to wait for the first word of the model, its queue included.'),
    stallMs: z.int().min(1).max(3_600_000).default(30_000).describe('Milliseconds to wait for each next word.'),
    concurrency: z.int().min(1).max(1024).default(16).describe('Calls to the server at a time; others wait.'),
    retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed before its first word.'),
  })
  .describe('A model on a server with OpenAI’s interface: vLLM, LMDeploy, LightLLM, llama-server and others.');

export type OpenAiOptions = z.output<typeof openAiOptions>;
