import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../principal.js';

/** One request and its answer, after host, origin and token were checked. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly principal: Principal;
  /** Aborted when the connection is gone before the answer is out. */
  readonly signal: AbortSignal;
  /** Says that the answer is a stream that stays open: from now on it is no work under way, and takes no place of its caller's. */
  readonly stand: () => void;
}

/** Something that is served at a path. */
export interface Route {
  /** Exact. @example '/healthz' */
  readonly path: string;
  readonly methods: readonly string[];
  /** Served without a token: tells nothing of what is in the collections. @default false */
  readonly open?: boolean | undefined;
  /** Answers, or throws an `HttpProblem`. */
  handle(exchange: Exchange): Promise<void>;
}

/** A refusal with its status; the words go to the client. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the JSON-RPC error. */
  readonly code: number;

  constructor(status: number, message: string, options: { headers?: Readonly<Record<string, string>>; code?: number } = {}) {
    super(message);
    this.status = status;
    this.headers = options.headers ?? {};
    this.code = options.code ?? -32_000;
  }
}
