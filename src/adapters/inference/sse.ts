/** Far above any true event; an endless one must not fill the memory. UTF-16 units. */
const LONGEST_EVENT = 1024 * 1024;

/** Reads the events of a `text/event-stream`, however its bytes are cut. */
export interface SseParser {
  /** The data of the events that these bytes complete, in order. */
  push(bytes: Uint8Array): readonly string[];
  /** The data of an event that the stream ended in: servers leave the last empty line out. */
  end(): readonly string[];
}

/**
 * Written for speed, because it runs once a token: text is cut at line ends, and only lines that need it are looked at closer.
 * Comments, ids and names of events are passed over; `data` of several lines is joined.
 * @param broken makes the error, from words on what is wrong
 */
export function createSseParser(broken: (problem: string) => Error): SseParser {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let data: string | undefined;

  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw broken('bytes that are not UTF-8');
    }
  };

  function take(line: string, events: string[]): void {
    if (line === '') {
      if (data !== undefined) events.push(data);
      data = undefined;
    } else if (line.startsWith('data:')) {
      const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
      if (data.length > LONGEST_EVENT) throw tooLong();
    } else if (line.startsWith('error:')) {
      data = line.slice(6); // older llama-server: an error under a field name of its own
    } else if (data === undefined && !/^(:|event|id|retry|data$)/.test(line)) {
      throw broken(`a line that belongs to no event stream: ${excerpt(line)}`);
    }
  }

  const tooLong = () => broken(`an event of over ${LONGEST_EVENT} characters`);

  return {
    push(bytes) {
      const events: string[] = [];
      let text = rest + decode(bytes);
      // A line may end in CR, LF or both; a CR at the very end may be the first half of both.
      if (text.includes('\r')) {
        const half = text.endsWith('\r') ? '\r' : '';
        text = text.slice(0, text.length - half.length).replace(/\r\n?/g, '\n') + half;
      }
      let start = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        take(text.slice(start, end), events);
        start = end + 1;
      }
      rest = text.slice(start);
      if (rest.length > LONGEST_EVENT) throw tooLong();
      return events;
    },

    end() {
      const events: string[] = [];
      const line = (rest + decode()).replace(/\r$/, '');
      rest = '';
      if (line !== '') take(line, events);
      take('', events);
      return events;
    },
  };
}

function excerpt(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
