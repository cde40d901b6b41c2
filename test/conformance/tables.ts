import type { Prompt } from '../../src/server/prompts.js';
import type { Resources } from '../../src/server/resources.js';
import { embed, image, PNG, say } from './content.js';

/** The prompts and resources that the conformance suite asks for, in the server's own neutral tables. */

const argument = (name: string) => ({ name, description: name, required: true });

export const testPrompts: readonly Prompt[] = [
  prompt('test_simple_prompt', [], () => [say('This is a simple prompt for testing.')]),
  prompt('test_prompt_with_arguments', ['arg1', 'arg2'], ({ arg1, arg2 }) => [
    say(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  ]),
  prompt('test_prompt_with_embedded_resource', ['resourceUri'], ({ resourceUri = '' }) => [
    embed(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
    say('Please process the embedded resource above.'),
  ]),
  prompt('test_prompt_with_image', [], () => [image, say('Please analyze the image above.')]),
];

function prompt(
  name: string,
  names: readonly string[],
  build: (input: Readonly<Record<string, string>>) => readonly Awaited<ReturnType<Prompt['build']>>[number]['content'][],
): Prompt {
  return {
    name,
    title: name,
    description: `Conformance: ${name}`,
    arguments: names.map(argument),
    build: async (_rag, input) => build(input).map((content) => ({ role: 'user', content })),
  };
}

/** The server's resources, and the suite's besides. */
export function withTestResources(resources: Resources): Resources {
  return {
    templates: [
      ...resources.templates,
      {
        name: 'test-template',
        title: 'Template',
        uriTemplate: 'test://template/{id}/data',
        description: 'Conformance: a template',
        mimeType: 'application/json',
      },
    ],
    async list(cursor, caller) {
      const page = await resources.list(cursor, caller);
      const own = [
        { uri: 'test://static-text', name: 'static-text', description: 'A text', mimeType: 'text/plain' },
        { uri: 'test://static-binary', name: 'static-binary', description: 'An image', mimeType: 'image/png' },
        { uri: 'test://watched-resource', name: 'watched-resource', description: 'A text', mimeType: 'text/plain' },
      ];
      return { ...page, resources: [...page.resources, ...(cursor === undefined ? own : [])] };
    },
    async read(uri, caller) {
      const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
      if (id !== undefined) {
        const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
        return { uri, mimeType: 'application/json', text };
      }
      switch (uri) {
        case 'test://static-text':
          return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
        case 'test://watched-resource':
          return { uri, mimeType: 'text/plain', text: 'Watched.' };
        case 'test://static-binary':
          return { uri, mimeType: 'image/png', blob: PNG };
        default:
          return resources.read(uri, caller);
      }
    },
    complete: resources.complete,
  };
}
