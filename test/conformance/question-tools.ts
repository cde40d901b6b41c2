import {
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { say } from './content.js';

/** The suite's tools that ask the client: its user, its model, its folders. */

const codec = createRequestStateCodec({ key: 'only for the conformance suite, and no secret' });

/** For the server's own check of what comes back. */
export const requestState = { verify: codec.verify };

const nameForm = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] };
const colourForm = { type: 'object' as const, properties: { color: { type: 'string' as const } }, required: ['color'] };
const okForm = { type: 'object' as const, properties: { ok: { type: 'boolean' as const } }, required: ['ok'] };

export function ask(message: string, requestedSchema: typeof nameForm | typeof colourForm | typeof okForm | Form) {
  return inputRequired.elicit({ message, requestedSchema });
}
type Form = Parameters<typeof inputRequired.elicit>[0]['requestedSchema'];

function sample(text: string, maxTokens: number) {
  return inputRequired.createMessage({ messages: [{ role: 'user', content: say(text) }], maxTokens });
}

export function registerQuestionTools(protocol: McpServer): void {
  const tool = <Shape extends z.ZodRawShape>(
    name: string,
    shape: Shape,
    run: (input: z.output<z.ZodObject<Shape>>, context: ServerContext) => Promise<Answer> | Answer,
  ) => protocol.registerTool(name, { description: `Conformance: ${name}`, inputSchema: z.object(shape) }, run as never); // the generic shape is lost on the library

  tool('test_sampling', { prompt: z.string() }, ({ prompt }, { mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'answer');
    if (answer.kind !== 'sampling') return inputRequired({ inputRequests: { answer: sample(prompt, 100) } });
    return { content: [say(`LLM response: ${textOf(answer.result.content)}`)] };
  });
  tool('test_elicitation', { message: z.string() }, ({ message }, { mcpReq }) => {
    const text = { type: 'string' as const };
    const form = {
      type: 'object' as const,
      properties: {
        username: { ...text, description: "User's response" },
        email: { ...text, description: "User's email address" },
      },
      required: ['username', 'email'],
    };
    return elicited(mcpReq.inputResponses, message, form, 'User response');
  });
  tool('test_elicitation_sep1034_defaults', {}, (_input, { mcpReq }) =>
    elicited(mcpReq.inputResponses, 'Please review the values', DEFAULTS_FORM, 'Elicitation completed'),
  );
  tool('test_elicitation_sep1330_enums', {}, (_input, { mcpReq }) =>
    elicited(mcpReq.inputResponses, 'Please choose', ENUMS_FORM, 'Elicitation completed'),
  );
  for (const name of ['test_input_required_result_elicitation', 'test_streaming_elicitation']) {
    tool(name, {}, (_input, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'user_name');
      const given = answer.kind === 'elicit' ? answer.content?.name : undefined;
      if (typeof given !== 'string') return inputRequired({ inputRequests: { user_name: ask('What is your name?', nameForm) } });
      return { content: [say(`Hello, ${given}!`)] };
    });
  }
  for (const name of ['test_input_required_result_sampling', 'test_missing_capability']) {
    tool(name, {}, (_input, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
      if (answer.kind === 'sampling') return { content: [say(textOf(answer.result.content))] };
      return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } });
    });
  }
  tool('test_input_required_result_list_roots', {}, (_input, { mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (answer.kind !== 'roots') return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    return { content: [say(answer.roots.map(({ uri }) => uri).join('\n'))] };
  });
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    tool(name, {}, async (_input, { mcpReq }) => {
      const confirmed = inputResponse(mcpReq.inputResponses, 'confirm').kind === 'elicit' && mcpReq.requestState() !== undefined;
      if (confirmed) return { content: [say('state-ok')] };
      return inputRequired({
        inputRequests: { confirm: ask('Please confirm', okForm) },
        requestState: await codec.mint({ step: 1 }),
      });
    });
  }
  tool('test_input_required_result_multiple_inputs', {}, async (_input, { mcpReq }) => {
    const kinds = ['user_name', 'greeting', 'client_roots'].map((key) => inputResponse(mcpReq.inputResponses, key).kind);
    if (!kinds.includes('missing')) return { content: [say(`got ${kinds.join(', ')}`)] };
    return inputRequired({
      inputRequests: {
        user_name: ask('What is your name?', nameForm),
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await codec.mint({ step: 1 }),
    });
  });
  tool('test_input_required_result_multi_round', {}, async (_input, { mcpReq }) => {
    if (inputResponse(mcpReq.inputResponses, 'step2').kind === 'elicit') return { content: [say('both steps are done')] };
    const asksSecond = inputResponse(mcpReq.inputResponses, 'step1').kind === 'elicit';
    const requestState = await codec.mint({ step: asksSecond ? 2 : 1 });
    if (asksSecond) {
      return inputRequired({ inputRequests: { step2: ask('Step 2: What is your favorite color?', colourForm) }, requestState });
    }
    return inputRequired({ inputRequests: { step1: ask('Step 1: What is your name?', nameForm) }, requestState });
  });
  tool('test_input_required_result_capabilities', {}, (_input, { mcpReq }) => {
    const envelope = mcpReq.envelope as
      | { readonly [CLIENT_CAPABILITIES_META_KEY]?: Readonly<Record<string, unknown>> }
      | undefined; // as in questions.ts
    const can = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
    return inputRequired({
      inputRequests: {
        ...(can.sampling !== undefined && { question: sample('What is the capital of France?', 100) }),
        ...(can.elicitation !== undefined && { name: ask('What is your name?', nameForm) }),
        ...(can.roots !== undefined && { folders: inputRequired.listRoots() }),
      },
    });
  });
}

type Answer = ReturnType<typeof inputRequired> | { content: ReturnType<typeof say>[]; isError?: boolean };

function elicited(responses: Record<string, unknown> | undefined, message: string, form: Form, words: string): Answer {
  const answer = inputResponse(responses, 'form');
  if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { form: ask(message, form) } });
  return { content: [say(`${words}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)] };
}

function textOf(content: unknown): string {
  return typeof content === 'object' && content !== null && 'text' in content ? String(content.text) : '';
}

const DEFAULTS_FORM: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  required: [],
};

const options = ['option1', 'option2', 'option3'];
const titled = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title: `${title} Option` }));

const ENUMS_FORM: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
  required: [],
};
