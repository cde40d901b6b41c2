import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import * as z from 'zod';

/** What is read of a collection. */
const answer = z.object({ metadata: z.object({ pulse: z.string() }) });

/** Connections kept for it; one that is idle keeps no process alive. */
const MOST_CONNECTIONS = 16;

/**
 * Reads the `pulse` in the metadata of the collection at a URL by a bare request. It goes beside every search, and the client's own way,
 * `fetch` and all that it makes of the answer, takes twice the processor time.
 * Undefined: it could not be read within the time; the client is to be asked, which says why.
 */
export function createPulseReader(
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): (url: URL) => Promise<string | undefined> {
  const settings = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  const [http, https] = [new HttpAgent(settings), new HttpsAgent(settings)];
  return (url) =>
    new Promise((resolve) => {
      const isEncrypted = url.protocol === 'https:';
      const get = isEncrypted ? httpsGet : httpGet;
      const request = get(url, { agent: isEncrypted ? https : http, headers }, (response) => {
        readText(response).then(
          (text) => resolve(response.statusCode === 200 ? pulseOf(text) : undefined),
          () => resolve(undefined),
        );
      });
      // A connection on which nobody answers would be one of the few for good.
      request.setTimeout(timeoutMs, () => request.destroy());
      request.on('error', () => resolve(undefined));
    });
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += part;
  return text;
}

function pulseOf(text: string): string | undefined {
  try {
    return answer.parse(JSON.parse(text)).metadata.pulse;
  } catch {
    return undefined;
  }
}
