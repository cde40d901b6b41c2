import { once } from 'node:events';
import { openRag } from '../../src/sdk/index.js';
import { createServer, serveHttp } from '../../src/server/index.js';
import { registerInputPrompt } from './input-prompt.js';
import { requestState } from './question-tools.js';
import { testPrompts, withTestResources } from './tables.js';
import { registerTestTools } from './tools.js';

/**
 * The server as it is shipped, with what the conformance suite wants to call besides. Listens on PORT of this machine until it is ended.
 */
const rag = await openRag({ caches: { embeddings: false, search: false, answers: false } });
await rag.ingest([{ id: 'guide.md', text: 'A single rope is sixty metres long.' }]);
const server = createServer(rag, { version: '1.0.0' });
const service = await serveHttp(
  { ...server, prompts: [...server.prompts, ...testPrompts], resources: withTestResources(server.resources) },
  {
    port: Number(process.env.PORT ?? 0),
    extend: {
      requestState,
      register(protocol) {
        registerTestTools(protocol);
        registerInputPrompt(protocol);
      },
    },
  },
);
process.stdout.write(`${service.url}/mcp\n`);
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
await service.close({ graceMs: 1_000 });
await rag.close();
