// A stand-in for an engine, in a process of its own so that its work isn't counted as the client's: node paced-engine.mjs
// `/v1/chat/completions` sends `tokens` events, one every `paceMs`; `/v1/embeddings` answers after `latencyMs`, however many texts.
import { createServer } from 'node:http';

const { tokens = '300', paceMs = '2', latencyMs = '20', port = '0' } = process.env;
const event = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'paced', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const usage = { prompt_tokens: 20, completion_tokens: Number(tokens), total_tokens: 20 + Number(tokens) };
const vector = Array.from({ length: 384 }, (_, index) => Math.sin(index));

let answered = 0;

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  request.on('end', () => {
    const body = text === '' ? {} : JSON.parse(text);
    if (request.url === '/v1/chat/completions') return stream(response);
    const json = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    if (request.url === '/answered') return json({ answered });
    if (request.url === '/health') return json({ status: 'ok' });
    if (request.url === '/v1/models') return json({ data: [{ id: 'paced', max_model_len: 8192 }] });
    setTimeout(() => json({ data: body.input.map((_, index) => ({ index, embedding: vector })) }), Number(latencyMs));
  });
});

function stream(response) {
  answered++;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < Number(tokens)) {
      sent++;
      response.write(event({ content: ` word${sent % 10}` }));
      return;
    }
    clearInterval(timer);
    response.write(event({}, 'stop'));
    response.end(`data: ${JSON.stringify({ id: 'chatcmpl-1', choices: [], usage })}\n\ndata: [DONE]\n\n`);
  }, Number(paceMs));
  response.on('close', () => clearInterval(timer));
}

server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
