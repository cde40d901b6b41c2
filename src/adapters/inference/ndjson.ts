/** Far above any true line; an endless one must not fill the memory. UTF-16 units. */
const LONGEST_LINE = 1024 * 1024;

/**
 * Passes on newline-delimited JSON objects, whole lines at a time, and fails on anything else: the `ollama` package skips a line
 * that it can't parse, which would lose a piece of the answer unnoticed, and prints it.
 * @param broken makes the error, from words on what is wrong
 */
export function ndjsonGuard(broken: (problem: string) => Error): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  let rest = '';

  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw broken('bytes that are not UTF-8');
    }
  };

  return new TransformStream({
    transform(bytes, controller) {
      const lines = (rest + decode(bytes)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw broken(`a line of over ${LONGEST_LINE} characters`);
      for (const line of lines) {
        if (line.trim() !== '') controller.enqueue(encoder.encode(`${checkLine(line, broken)}\n`));
      }
    },
    flush(controller) {
      const line = rest + decode();
      if (line.trim() !== '') controller.enqueue(encoder.encode(`${checkLine(line, broken)}\n`));
    },
  });
}

function checkLine(line: string, broken: (problem: string) => Error): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw broken(`a line that is not JSON: ${excerpt(line)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(`a line that is no object: ${excerpt(line)}`);
  return line;
}

function excerpt(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
